"""Text classifiers over tokens: an encoder and a new head as one plain Keras model."""

import keras

from tl_keras.models.head_blocks import block_outputs
from tl_keras.models.head_options import DEFAULT_DROPOUT, TEXT_POOLINGS, check_head_blocks
from tl_keras.models.heads import Head, check_class_names, check_pooling, join_pooled
from tl_keras.models.texts.networks import named_text_network
from tl_keras.models.texts.presets import default_pooling, find_text_source, open_text_network
from tl_keras.models.texts.tokenizers import build_tokenizer
from tl_keras.models.weights.files import is_weight_file
from tl_keras.models.weights.loading import load_weights


def build_text_classifier(
    backbone,
    num_classes,
    *,
    weights="pretrained",
    pooling=None,
    head_blocks="last",
    dropout=DEFAULT_DROPOUT,
    hidden_units=None,
    multi_label=False,
    output="probabilities",
    class_names=None,
    weights_sha256=None,
):
    """Builds a classifier of the tokens of a text or of a pair of texts.

    `with_text_input` adds the tokenizer in front of the trained model. On a CPU, `use_fused_layers` makes training
    faster.

    Args:
        backbone: a name of `TEXT_BACKBONES`, or the folder of a KerasHub preset or of a Hugging Face checkpoint.
        num_classes: number of classes, at least 2, or at least 1 when `multi_label`.
        weights: "pretrained", None or "none" for random weights, or the path of a local file or folder of this project
            (see `load_weights`).
        pooling: "average" of all tokens, or "first" for the first token, passed through the pooler where the checkpoint
            has one; None takes the default of the encoder, see `default_pooling`.
        head_blocks: blocks whose outputs the head reads: "last", "all", or a list of block names. Those of several
            blocks are pooled one by one and concatenated, input side first (see `head_columns`); a backbone ends at the
            last block that is read.
        dropout: share of the pooled features that are dropped in training, 0 to below 1; 0 leaves the layer out.
        hidden_units: width of a ReLU layer before the last one; None leaves it out.
        multi_label: True when a text may belong to several classes or to none: sigmoids instead of a softmax.
        output: "probabilities" or "logits".
        class_names: sequence of `num_classes` names; stored as `model.class_names`, and by `save_model` in the file.
        weights_sha256: hexadecimal SHA-256 that a weights file must have; None skips the check.

    Returns:
        `keras.Model`. In: a dictionary of int32 (batch, tokens) with any number of tokens up to
        `model.tokenizer.max_tokens`: "token_ids", "padding_mask" (1 for tokens, 0 for padding) and, where
        `model.tokenizer.has_segments`, "segment_ids". Out: float32 (batch, num_classes), also under a mixed precision
        policy. Its layers are named `BLOCK.LAYER`; the last block is `head`. `model.tokenizer` is the `TextTokenizer`,
        `model.weights_report` the `WeightsReport` of a local file, else None.

    Raises:
        InputError: an argument is out of its range or unknown, or the encoder or its weights are unavailable.
    """
    head = Head(num_classes, dropout, hidden_units, multi_label, output)
    check_pooling(pooling or TEXT_POOLINGS[0], TEXT_POOLINGS)
    check_head_blocks(head_blocks)
    check_class_names(class_names, num_classes)
    weights = None if weights == "none" else weights
    from_file = is_weight_file(weights, ("pretrained",), weights_sha256)
    source = find_text_source(backbone)
    pretrained = weights == "pretrained"
    network, settings, has_pooler = open_text_network(source, weights=pretrained)
    pooling = pooling or default_pooling(source)
    encoder = named_text_network(
        network, pooled=pooling == "first" and has_pooler, settings=settings, copy_weights=pretrained
    )
    model = keras.Model(encoder.input, head.add_to(_features(encoder, head_blocks, pooling)), name=source.short_name)
    model.tokenizer = build_tokenizer(backbone)
    model.class_names = tuple(class_names) if class_names is not None else None
    model.weights_report = load_weights(model, weights, sha256=weights_sha256) if from_file else None
    return model


def _features(encoder, head_blocks, pooling):
    mask = encoder.input["padding_mask"]
    if head_blocks == "last":
        return _pool(encoder.output, mask, pooling)
    outputs = block_outputs(encoder, head_blocks)
    return join_pooled([_pool(output, mask, pooling, f"_{block}") for block, output in outputs.items()])


def _pool(features, mask, pooling, ending=""):
    if len(features.shape) == 2:
        return features
    if pooling == "first":
        return features[:, 0, :]
    return keras.layers.GlobalAveragePooling1D(dtype="float32", name=f"head.pool{ending}")(features, mask=mask)
