"""Table of the image backbones, one entry each. Pure values, without Keras; `building.py` builds the networks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HUB_PREFIX = "keras_hub:"
"""Prefix of the name or the folder of a KerasHub preset."""


@dataclass(frozen=True)
class Preprocessing:
    """Input scaling that a network was trained with: `(pixel - mean) / deviation` per channel.

    It belongs to the weights: the same network may need another one with weights of another origin.
    """

    mean: tuple[float, ...]
    """Three numbers on the scale 0 to 255, in the channel order of the network."""
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    """Three numbers on the same scale and in the same order."""
    flips_channels: bool = False
    """True when the network expects BGR."""


UNIT = Preprocessing(mean=(0.0, 0.0, 0.0), deviation=(255.0, 255.0, 255.0))
ONE_TO_ONE = Preprocessing(mean=(127.5, 127.5, 127.5), deviation=(127.5, 127.5, 127.5))
CAFFE = Preprocessing(mean=(103.939, 116.779, 123.68), flips_channels=True)
IMAGENET = Preprocessing(mean=(123.675, 116.28, 103.53), deviation=(58.395, 57.12, 57.375))
LITE = Preprocessing(mean=(127.0, 127.0, 127.0), deviation=(128.0, 128.0, 128.0))


@dataclass(frozen=True)
class Backbone:
    """Describes a backbone: its constructor, its preprocessing and its blocks."""

    constructor: str
    """`module:function`, called with `weights` ("imagenet" or None), `input_shape` and `options`."""
    preprocessing: Preprocessing
    """The input scaling of the ImageNet weights."""
    blocks: tuple[tuple[str, str], ...]
    """(block name, name of its last layer), input side first, with the layer names of a fresh process."""
    image_size: int = 224
    """Height and width in pixels at which the ImageNet weights were trained, the default."""
    minimum_size: int = 32
    """Minimum height and width in pixels."""
    options: Mapping[str, bool | str] = field(default_factory=lambda: {"include_top": False})
    """Further arguments of the constructor."""


VGG_BLOCKS = tuple((f"block{number}", f"block{number}_pool") for number in range(1, 6))
WITHOUT_PREPROCESSING = {"include_top": False, "include_preprocessing": False}
LITE_CONSTRUCTOR = "tl_keras.models.images.efficientnet_lite:build_efficientnet_lite"
DEEPER_LITE_BLOCKS = (
    ("stem", "stem_activation"),
    ("block1", "block1a_project_bn"),
    ("block2", "block2c_add"),
    ("block3", "block3c_add"),
    ("block4", "block4d_add"),
    ("block5", "block5d_add"),
    ("block6", "block6e_add"),
    ("block7", "block7a_project_bn"),
    ("top", "top_activation"),
)

BACKBONES = {
    "vgg16": Backbone("keras.applications:VGG16", CAFFE, VGG_BLOCKS),
    "vgg19": Backbone("keras.applications:VGG19", CAFFE, VGG_BLOCKS),
    "inception_v3": Backbone(
        constructor="keras.applications:InceptionV3",
        preprocessing=ONE_TO_ONE,
        blocks=(("stem", "max_pooling2d_1"), *((f"mixed{number}", f"mixed{number}") for number in range(11))),
        image_size=299,
        minimum_size=75,
    ),
    "resnet50": Backbone(
        constructor="keras.applications:ResNet50",
        preprocessing=CAFFE,
        blocks=(
            ("conv1", "pool1_pool"),
            ("conv2", "conv2_block3_out"),
            ("conv3", "conv3_block4_out"),
            ("conv4", "conv4_block6_out"),
            ("conv5", "conv5_block3_out"),
        ),
    ),
    "mobilenet_v2": Backbone(
        constructor="keras.applications:MobileNetV2",
        preprocessing=ONE_TO_ONE,
        blocks=(
            ("stem", "Conv1_relu"),
            ("stage1", "expanded_conv_project_BN"),
            ("stage2", "block_2_add"),
            ("stage3", "block_5_add"),
            ("stage4", "block_9_add"),
            ("stage5", "block_12_add"),
            ("stage6", "block_15_add"),
            ("stage7", "block_16_project_BN"),
            ("top", "out_relu"),
        ),
    ),
    "efficientnet_v2_b0": Backbone(
        constructor="keras.applications:EfficientNetV2B0",
        preprocessing=IMAGENET,
        blocks=(
            ("stem", "stem_activation"),
            ("block1", "block1a_project_activation"),
            ("block2", "block2b_add"),
            ("block3", "block3b_add"),
            ("block4", "block4c_add"),
            ("block5", "block5e_add"),
            ("block6", "block6h_add"),
            ("top", "top_activation"),
        ),
        options=WITHOUT_PREPROCESSING,
    ),
    "convnext_tiny": Backbone(
        constructor="keras.applications:ConvNeXtTiny",
        preprocessing=IMAGENET,
        blocks=(
            ("stem", "convnext_tiny_stem"),
            ("stage0", "add_2"),
            ("stage1", "add_5"),
            ("stage2", "add_14"),
            ("stage3", "layer_normalization"),
        ),
        options=WITHOUT_PREPROCESSING,
    ),
    "xception": Backbone(
        constructor="keras.applications:Xception",
        preprocessing=ONE_TO_ONE,
        blocks=(
            ("block1", "block1_conv2_act"),
            *((f"block{number}", f"add_{number - 2}" if number > 2 else "add") for number in range(2, 14)),
            ("block14", "block14_sepconv2_act"),
        ),
        image_size=299,
        minimum_size=71,
    ),
    "efficientnet_lite0": Backbone(
        constructor=LITE_CONSTRUCTOR,
        preprocessing=LITE,
        blocks=(
            ("stem", "stem_activation"),
            ("block1", "block1a_project_bn"),
            ("block2", "block2b_add"),
            ("block3", "block3b_add"),
            ("block4", "block4c_add"),
            ("block5", "block5c_add"),
            ("block6", "block6d_add"),
            ("block7", "block7a_project_bn"),
            ("top", "top_activation"),
        ),
        options={"variant": "efficientnet_lite0"},
    ),
    "efficientnet_lite1": Backbone(
        constructor=LITE_CONSTRUCTOR,
        preprocessing=LITE,
        blocks=DEEPER_LITE_BLOCKS,
        image_size=240,
        options={"variant": "efficientnet_lite1"},
    ),
    "efficientnet_lite2": Backbone(
        constructor=LITE_CONSTRUCTOR,
        preprocessing=LITE,
        blocks=DEEPER_LITE_BLOCKS,
        image_size=260,
        options={"variant": "efficientnet_lite2"},
    ),
}
