import functools
import pkgutil
import subprocess
import sys
import urllib.error

import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.backbones import BACKBONES
from tl_keras.models.images.building import build_backbone

APPLICATIONS = [name for name in BACKBONES if name != "efficientnet_lite0"]
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 75, 75, 3)).astype("float32")


@functools.cache
def pair(name):
    """The network of keras.applications and ours, from the same seed."""
    entry = BACKBONES[name]
    size = entry.minimum_size
    keras.utils.set_random_seed(1)
    network = pkgutil.resolve_name(entry.constructor)(weights=None, input_shape=(size, size, 3), **entry.options)
    keras.utils.set_random_seed(1)
    return network, build_backbone(name, weights=None, image_size=size)


@pytest.mark.parametrize("name", BACKBONES)
def test_blocks_come_in_order_and_each_ends_in_one_tensor(name):
    _, model = pair(name)
    blocks = [operation.name.partition(".")[0] for operation in model.operations]
    assert list(dict.fromkeys(blocks)) == ["preprocessing", *(block for block, _ in BACKBONES[name].blocks)]
    block_of = {operation.name: block for operation, block in zip(model.operations, blocks, strict=True)}
    for block in set(blocks):
        leaving = {
            tensor.name
            for operation in model.operations
            for node in operation._inbound_nodes
            for tensor in node.input_tensors
            if block_of[tensor._keras_history.operation.name] == block != block_of[operation.name]
        }
        assert len(leaving) <= 1


@pytest.mark.parametrize("name", BACKBONES)
def test_every_layer_is_named_by_block_and_flat(name):
    _, model = pair(name)
    assert all(operation.name.count(".") == 1 for operation in model.operations)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert len({layer.name for layer in model.layers}) == len(model.layers)


@pytest.mark.parametrize("name", BACKBONES)
def test_features_equal_those_of_the_original_behind_its_preprocessing(name):
    network, model = pair(name)
    size, preprocessing = model.input.shape[1], BACKBONES[name].preprocessing
    images = IMAGES[:, :size, :size]
    pixels = images[..., ::-1] if preprocessing.flips_channels else images
    pixels = (pixels - np.array(preprocessing.mean)) / np.array(preprocessing.deviation)
    expected = np.asarray(network(pixels.astype("float32")))
    np.testing.assert_allclose(np.asarray(model(images)), expected, atol=1e-5 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", ["vgg16", "inception_v3"])
def test_names_are_the_same_in_every_build(name):
    _, model = pair(name)
    again = build_backbone(name, weights=None, image_size=model.input.shape[1])
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def test_the_table_is_read_without_keras():
    code = (
        "import sys; from tl_keras.models.images.backbones import BACKBONES; "
        "assert len(BACKBONES) == 9; assert not {'keras.src', 'tensorflow', 'keras_hub.src'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_size_of_the_weights_is_the_default():
    assert build_backbone("efficientnet_lite0", weights=None).input.shape == (None, 224, 224, 3)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match="did you mean 'resnet50'"):
        build_backbone("resnet5", weights=None)


@pytest.mark.parametrize("name, size", [("inception_v3", 74), ("vgg16", 31), ("xception", 0)])
def test_a_small_image_size_is_refused(name, size):
    with pytest.raises(InputError, match=f"at least {BACKBONES[name].minimum_size}"):
        build_backbone(name, weights=None, image_size=size)


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("no network"),
        urllib.error.HTTPError("", 404, "gone", None, None),
        ConnectionResetError("in the middle"),
    ],
)
def test_a_failed_download_names_the_offline_ways(monkeypatch, tmp_path, error):
    def refuse(*_arguments):
        raise error

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", refuse)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(InputError, match="--model.weights PATH.*efficientnet_lite0.*--model.weights none"):
        build_backbone("vgg16", image_size=32)


def test_other_errors_are_not_taken_for_failed_downloads(monkeypatch):
    def fail(**_options):
        raise ZeroDivisionError("a mistake in the code")

    monkeypatch.setattr("keras.applications.VGG16", fail)
    with pytest.raises(ZeroDivisionError):
        build_backbone("vgg16", weights=None)
