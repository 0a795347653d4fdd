"""Allow list of the classes and functions that a model file may name. Nothing else is ever built.

It leaves out the layers of Keras that run code or read files: Lambda, TFSMLayer, layers of other frameworks, lookups
and vectorizers that open files; and recurrent layers, whose unrolling is unbounded. A new backbone adds its layers
here.
"""

import math
import re

from tl_keras.errors import InputError, quoted
from tl_keras.system.budget import MAX_OBJECTS, Budget

KERAS_LAYERS = """
    InputLayer Activation Add Average AveragePooling1D AveragePooling2D BatchNormalization Concatenate Conv1D Conv2D
    Conv2DTranspose Cropping2D Dense DepthwiseConv2D Dot Dropout EinsumDense ELU Embedding Flatten GaussianDropout
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization
    GroupQueryAttention Identity LayerNormalization LeakyReLU Masking Maximum MaxPooling1D MaxPooling2D Minimum
    MultiHeadAttention Multiply Normalization Permute PReLU ReLU RepeatVector Rescaling Reshape Resizing
    ReversibleEmbedding RMSNormalization SeparableConv2D Softmax SpatialDropout1D SpatialDropout2D Subtract
    UnitNormalization UpSampling2D ZeroPadding1D ZeroPadding2D
"""
KERAS_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform IdentityInitializer LecunNormal LecunUniform Ones Orthogonal
    RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
"""
NUMPY_OPERATIONS = """
    Absolute Add All Any Argmax Argsort BroadcastTo Clip Concatenate Cumsum Divide Equal ExpandDims Flip FloorDivide
    GetItem Greater GreaterEqual Less LessEqual LogicalAnd LogicalNot LogicalOr Matmul Max Maximum Mean Min Minimum Mod
    Multiply Negative Nonzero NotEqual OnesLike Pad Repeat Reshape Roll Split Sqrt Square Squeeze Stack Subtract Sum
    Take TakeAlongAxis Tile Transpose TrueDivide Where ZerosLike
"""
HUB = "keras_hub.src.models"
HUB_MODULES = r"keras_hub\.src\.(layers|models)(\.\w+)+"
FILE_READERS = ("Tokenizer",)
"""Ends of the names of KerasHub's classes that open files, each under settings of its own, such as Whisper's
`special_tokens`. Only those in `CLASSES` are built, whose settings are `FILES`."""
CLASSES = {
    "keras": "DTypePolicy",
    "keras.layers": KERAS_LAYERS,
    "keras.initializers": KERAS_INITIALIZERS,
    "keras.regularizers": "L1 L2 L1L2",
    "keras.src.models.functional": "Functional",
    "keras.src.models.sequential": "Sequential",
    "keras.src.applications.convnext": "LayerScale",
    "keras.src.ops.core": "Cast",
    "keras.src.ops.nn": "Gelu OneHot Relu Relu6 Sigmoid Silu Softmax",
    "keras.src.ops.numpy": NUMPY_OPERATIONS,
    "keras_hub.src.layers.modeling.position_embedding": "PositionEmbedding",
    "keras_hub.src.layers.modeling.token_and_position_embedding": "TokenAndPositionEmbedding",
    "keras_hub.src.layers.modeling.transformer_encoder": "TransformerEncoder",
    f"{HUB}.albert.albert_tokenizer": "AlbertTokenizer",
    f"{HUB}.bert.bert_tokenizer": "BertTokenizer",
    f"{HUB}.cspnet.cspnet_backbone": "CSPNetBackbone",
    f"{HUB}.d_fine.d_fine_hybrid_encoder": "DFineHybridEncoder",
    f"{HUB}.d_fine.d_fine_layers": "DFineMLPPredictionHead DFineSourceFlattener",
    f"{HUB}.deberta_v3.deberta_v3_tokenizer": "DebertaV3Tokenizer",
    f"{HUB}.deberta_v3.disentangled_attention_encoder": "DisentangledAttentionEncoder",
    f"{HUB}.deit.deit_backbone": "DeiTBackbone",
    f"{HUB}.deit.deit_layers": "DeiTEmbeddings DeiTIntermediate DeiTOutput DeiTEncoderBlock DeiTEncoder",
    f"{HUB}.densenet.densenet_backbone": "DenseNetBackbone",
    f"{HUB}.dinov2.dinov2_backbone": "DINOV2Backbone",
    f"{HUB}.dinov2.dinov2_layers": "DINOV2Embedding DINOV2Encoder DINOV2Layer DINOV2PatchEmbedding",
    f"{HUB}.dinov3.dinov3_backbone": "DINOV3Backbone",
    f"{HUB}.dinov3.dinov3_layers": "DINOV3Embedding DINOV3Encoder DINOV3Layer DINOV3RopePositionEmbedding",
    f"{HUB}.distil_bert.distil_bert_tokenizer": "DistilBertTokenizer",
    f"{HUB}.efficientnet.cba": "CBABlock",
    f"{HUB}.efficientnet.efficientnet_backbone": "EfficientNetBackbone",
    f"{HUB}.efficientnet.fusedmbconv": "FusedMBConvBlock",
    f"{HUB}.efficientnet.mbconv": "MBConvBlock",
    f"{HUB}.hgnetv2.hgnetv2_backbone": "HGNetV2Backbone",
    f"{HUB}.hgnetv2.hgnetv2_encoder": "HGNetV2Encoder",
    f"{HUB}.hgnetv2.hgnetv2_layers": "HGNetV2BasicLayer HGNetV2ConvLayer HGNetV2Embeddings HGNetV2Stage",
    f"{HUB}.mit.mit_backbone": "MiTBackbone",
    f"{HUB}.mit.mit_layers": "HierarchicalTransformerEncoder OverlappingPatchingAndEmbedding",
    f"{HUB}.mobilenet.mobilenet_backbone": """
        ConvBnActBlock DepthwiseConvBlock InvertedResidualBlock MobileNetBackbone SqueezeAndExcite2D
    """,
    f"{HUB}.resnet.resnet_backbone": "ResNetBackbone",
    f"{HUB}.roberta.roberta_tokenizer": "RobertaTokenizer",
    f"{HUB}.swin_transformer.swin_transformer_backbone": "SwinTransformerBackbone",
    f"{HUB}.swin_transformer.swin_transformer_layers": "PatchEmbedding PatchMerging SwinTransformerStage",
    f"{HUB}.vgg.vgg_backbone": "VGGBackbone",
    f"{HUB}.vit.vit_backbone": "ViTBackbone",
    f"{HUB}.vit.vit_layers": "ViTEncoder ViTEncoderBlock ViTPatchingAndEmbedding",
    f"{HUB}.xception.xception_backbone": "XceptionBackbone",
    "tl_keras.models.detection.box_decoders": "AnchorDecoder ProposalDecoder",
    "tl_keras.models.detection.d_fine": "QueryDecoder",
    "tl_keras.models.detection.d_fine_layers": "InnerCells QueryRefinement QuerySelection",
    "tl_keras.models.detection.proposals": "ProposalSelection",
    "tl_keras.models.detection.roi_align": "RoIAlign",
    "tl_keras.models.detection.yolo_v8": "CellDecoder",
}
"""From a module to the names of its classes."""
FUNCTIONS = {"gelu", "keras_hub>gelu_approximate", "linear", "relu", "relu6", "sigmoid", "silu", "softmax", "tanh"}
VALUES = {"__keras_tensor__", "__slice__", "__ellipsis__"}
ARRAY_TYPES = {"bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8"}
FILES = ("vocabulary", "merges", "proto")
"""Settings of tokenizers that name a file on this computer. They must be empty: a model file contains its own."""
MAX_DEPTH = 100
REPEATS = r"(\w+_)?(layers|blocks|repeats|depths?|depth_coefficients|layer_num)|depth_multiplier"
"""Settings of blocks and backbones that state how often something is repeated."""
OBJECT_COST, REPEAT_COST = 5, 200
"""Objects of a `Budget` for a layer or another class, and for a repeated block of layers: a millisecond, and 12."""
_KNOWN = {(module, name) for module, names in CLASSES.items() for name in names.split()}


def check_classes(config, budget=None, *, allow_hub=False):
    """Checks that a configuration names only allowed layers, operations and values.

    Args:
        config: configuration from the JSON of a model file, nested dicts and lists.
        budget: `Budget` that layers and the blocks that they repeat are counted in; None takes a new one.
        allow_hub: True also allows every class of KerasHub's models and layers that opens no file, for KerasHub's
            presets.

    Raises:
        InputError: it names another class or function, opens a file, or is nested more than `MAX_DEPTH` levels deep.
        OverBudget: it has too many layers.
    """
    _check_part(config, budget or Budget(), allow_hub, 0)


def _check_part(config, budget, allow_hub, depth):
    if depth > MAX_DEPTH:
        raise InputError(f"The model is nested more than {MAX_DEPTH} levels deep: expected one of this project.")
    if isinstance(config, dict):
        if "class_name" in config:
            _check_class(config, allow_hub)
            is_block = not str(config.get("module")).startswith("keras.")
            budget.visit(OBJECT_COST + (REPEAT_COST * _repeats(config.get("config")) if is_block else 0))
        for value in config.values():
            _check_part(value, budget, allow_hub, depth + 1)
    elif isinstance(config, list):
        for value in config:
            _check_part(value, budget, allow_hub, depth + 1)


def _repeats(settings):
    """Counts the blocks that a class says it repeats; one number in a file may ask for a million of them."""
    if not isinstance(settings, dict) or "class_name" in settings:
        return 0
    counts = (_sum(value) for key, value in settings.items() if re.fullmatch(REPEATS, key))
    return sum(counts) + sum(map(_repeats, settings.values()))


def _sum(value):
    if isinstance(value, list):
        return sum(map(_sum, value))
    is_number = isinstance(value, int | float) and not math.isnan(value)
    return min(abs(value), MAX_OBJECTS) if is_number else 0


def _check_class(entry, allow_hub):
    name, module, registered = entry["class_name"], entry.get("module"), entry.get("registered_name")
    settings = entry.get("config")
    if name == "__numpy__":
        is_allowed = isinstance(settings, dict) and settings.get("dtype") in ARRAY_TYPES
    elif name == "function":
        is_allowed = module == "builtins" and registered in (None, name) and str(settings) in FUNCTIONS
    elif not isinstance(name, str) or not isinstance(module, str | None) or not isinstance(registered, str | None):
        is_allowed = False
    else:
        # Keras looks up the registered name first: it must name the same class.
        is_hub = re.fullmatch(HUB_MODULES, str(module)) and not name.endswith(FILE_READERS)
        is_listed = (module, name) in _KNOWN or (allow_hub and is_hub)
        is_allowed = name in VALUES or (is_listed and registered in _registered_names(module, name))
    if not is_allowed:
        label = f"{name} {settings!r}" if name == "function" else name
        raise InputError(
            f"The model holds {quoted(label)} of {quoted(module)}, which this project does not write and "
            "therefore does not build: open it with keras.models.load_model, if you trust its origin."
        )
    if isinstance(settings, dict) and (opened := [key for key in FILES if settings.get(key)]):
        raise InputError(
            f"The model's {name} would read a file of this computer as its {opened[0]}: expected a model that contains "
            "its own, as this project saves it."
        )


def _registered_names(module, name):
    return None, name, f"{module.split('.')[0]}>{name}"
