import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.efficientnet_lite import MULTIPLIERS, build_efficientnet_lite
from tl_keras.models.images.efficientnet_lite_weights import ASSETS
from tl_keras.system.pip_assets import fetch_asset

IMAGE = (np.arange(64 * 64 * 3) * 7 % 256).reshape(1, 64, 64, 3).astype("float32")
# The same checkpoint on the same image: the mean of the first 12 feature channels, and of all. Lite0 in PyTorch 2.13,
# the others in the network of KerasCV 0.9.
REFERENCE = {
    "efficientnet_lite0": ([0.5141886, 0, 0, 1.1741796, 0, 0, 0, 4.0279427, 0, 0, 0, 3.7885723], 0.6145260),
    "efficientnet_lite1": ([0, 0, 6, 0, 0, 0, 0, 0.6384656, 0, 0, 5.9256549, 0], 0.7984046),
    "efficientnet_lite2": ([0, 0, 0.6495241, 0, 0, 5.8820415, 0, 0, 0, 1.0901183, 0, 0.3338712], 0.5646452),
}
DOWNLOADED = [pytest.param(name, marks=pytest.mark.slow) for name in ("efficientnet_lite1", "efficientnet_lite2")]


@pytest.mark.parametrize("variant", ["efficientnet_lite0", *DOWNLOADED])
def test_features_equal_those_of_another_implementation(variant):
    try:
        fetch_asset(ASSETS[variant])
    except InputError as error:
        pytest.skip(f"the weights are not in the cache and cannot be downloaded: {error}")
    features = np.asarray(build_efficientnet_lite(variant=variant, input_shape=(64, 64, 3))((IMAGE - 127) / 128))
    channels, mean = REFERENCE[variant]
    assert features.shape == (1, 2, 2, 1280)
    np.testing.assert_allclose(features.mean((0, 1, 2))[:12], channels, atol=1e-4)
    np.testing.assert_allclose(features.mean(), mean, atol=1e-4)


@pytest.mark.parametrize("size", [32, 75])
def test_image_sizes_from_32_are_supported(size):
    model = build_efficientnet_lite(variant="efficientnet_lite0", weights=None, input_shape=(size, size, 3))
    assert model.output.shape == (None, -(-size // 32), -(-size // 32), 1280)


@pytest.mark.parametrize(
    "variant, channels, repeats, count",
    [
        ("efficientnet_lite0", [16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1], 3_413_024),
        ("efficientnet_lite1", [16, 24, 40, 80, 112, 192, 320], [1, 3, 3, 4, 4, 5, 1], 4_189_344),
        ("efficientnet_lite2", [16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1], 4_869_168),
    ],
)
def test_width_and_depth_are_those_of_the_checkpoint(variant, channels, repeats, count):
    model = build_efficientnet_lite(variant=variant, weights=None, input_shape=(32, 32, 3))
    blocks = [layer.name.removesuffix("_dwconv") for layer in model.layers if layer.name.endswith("_dwconv")]
    assert [sum(block.startswith(f"block{stage}") for block in blocks) for stage in range(1, 8)] == repeats
    assert [model.get_layer(f"block{stage}a_project_conv").filters for stage in range(1, 8)] == channels
    assert model.get_layer("stem_conv").filters == 32 and model.get_layer("top_conv").filters == 1280
    assert model.count_params() == count and model.name == variant


def test_every_variant_has_a_package():
    assert ASSETS.keys() == MULTIPLIERS.keys() == REFERENCE.keys()
