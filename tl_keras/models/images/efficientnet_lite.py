"""EfficientNet-Lite0, Lite1 and Lite2, designed for small processors: 4.7, 5.4 and 6.1 million parameters.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite variants
have no squeeze-and-excitation and no swish.
"""

import math

import keras

from tl_keras.models.images.efficientnet_lite_weights import load_imagenet_weights

MULTIPLIERS = {
    # width, depth
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}

STAGES = (
    # repeats, kernel size, stride of the first block, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def build_efficientnet_lite(*, variant, weights="imagenet", input_shape=(224, 224, 3)):
    """Builds an EfficientNet-Lite without its classification layer.

    Args:
        variant: a key of `MULTIPLIERS`.
        weights: "imagenet", or None for random weights.
        input_shape: (height, width, 3), height and width at least 32.

    Returns:
        Functional `keras.Model` of plain Keras layers. In: float32 (batch, height, width, 3), RGB, scaled to
        `(pixel - 127) / 128`. Out: float32 (batch, height / 32, width / 32, 1280), sides rounded up, values 0 to 6.

    Raises:
        InputError: the package with the weights cannot be downloaded, or its file has another SHA-256.
    """
    inputs = keras.Input(input_shape)
    # The Lite variants scale neither the stem nor the top.
    outputs = _convolution(inputs, "stem", 32, kernel_size=3, strides=2)
    for name, kernel_size, stride, expansion, channels in _blocks(*MULTIPLIERS[variant]):
        outputs = _inverted_residual(outputs, name, kernel_size, stride, expansion, channels)
    outputs = _convolution(outputs, "top", 1280)
    model = keras.Model(inputs, outputs, name=variant)
    if weights == "imagenet":
        load_imagenet_weights(model)
    return model


def _blocks(width, depth):
    """Yields (name, kernel size, stride, expansion, channels) of each residual block, block1a to block7a."""
    for stage, (repeats, kernel_size, stride, expansion, channels) in enumerate(STAGES, start=1):
        if 1 < stage < len(STAGES):
            repeats = math.ceil(repeats * depth)
        for repeat, letter in enumerate("abcde"[:repeats]):
            yield f"block{stage}{letter}", kernel_size, 1 if repeat else stride, expansion, _scaled(channels, width)


def _scaled(channels, width):
    """Returns the number of channels, rounded to a multiple of 8 but not down by more than a tenth."""
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels * width else rounded + 8


def _inverted_residual(inputs, name, kernel_size, stride, expansion, channels):
    """Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, figure 4d."""
    outputs = inputs
    if expansion > 1:
        outputs = _convolution(outputs, f"{name}_expand", inputs.shape[-1] * expansion)
    options = {"padding": "same", "use_bias": False, "depthwise_initializer": _initializer()}
    outputs = keras.layers.DepthwiseConv2D(kernel_size, stride, name=f"{name}_dwconv", **options)(outputs)
    outputs = _normalize(outputs, name)
    outputs = _convolution(outputs, f"{name}_project", channels, activation=False)
    if stride == 1 and inputs.shape[-1] == channels:
        outputs = keras.layers.Add(name=f"{name}_add")([inputs, outputs])
    return outputs


def _convolution(inputs, name, channels, *, kernel_size=1, strides=1, activation=True):
    options = {"padding": "same", "use_bias": False, "kernel_initializer": _initializer()}
    outputs = keras.layers.Conv2D(channels, kernel_size, strides, name=f"{name}_conv", **options)(inputs)
    return _normalize(outputs, name, activation=activation)


def _normalize(inputs, name, *, activation=True):
    outputs = keras.layers.BatchNormalization(name=f"{name}_bn")(inputs)
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(outputs) if activation else outputs


def _initializer():
    return keras.initializers.VarianceScaling(scale=2.0, mode="fan_out", distribution="truncated_normal")
