import functools
import pkgutil
import urllib.error

import numpy as np
import pytest

from tests.cheap_weights import cheap_weights
from tests.models.backbone_harness import check_blocks_pass_one_tensor, check_saving, run_backbone_test
from tl_keras.errors import InputError
from tl_keras.models.head_blocks import block_outputs
from tl_keras.models.images.backbones import BACKBONES
from tl_keras.models.images.building import build_backbone

SIBLINGS = ("vgg19", "efficientnet_lite1", "efficientnet_lite2")
"""Networks with the layers of vgg16 and efficientnet_lite0, in other numbers."""
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 75, 75, 3)).astype("float32")


@pytest.fixture(scope="module", autouse=True)
def fast_building():
    with cheap_weights():
        yield


@functools.cache
def pair(name):
    """Builds ours at the minimum image size; returns the network of keras.applications that it copies as well."""
    size, networks, resolve = BACKBONES[name].minimum_size, [], pkgutil.resolve_name

    def recorded(constructor):
        return lambda **options: networks.append(resolve(constructor)(**options)) or networks[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pkgutil, "resolve_name", recorded)
        model = build_backbone(name, weights=None, image_size=size)
    return networks[0], model, IMAGES[:, :size, :size]


@functools.cache
def outputs(name):
    """Computes what ours returns."""
    _, model, images = pair(name)
    return np.asarray(model(images))


@pytest.mark.parametrize("name", BACKBONES)
def test_backbone(name):
    network, model, images = pair(name)
    preprocessing = BACKBONES[name].preprocessing
    pixels = images[..., ::-1] if preprocessing.flips_channels else images
    pixels = (pixels - np.array(preprocessing.mean)) / np.array(preprocessing.deviation)
    expected = np.asarray(network(pixels.astype("float32")))
    blocks = ["preprocessing", *(block for block, _ in BACKBONES[name].blocks)]
    atol = 1e-5 * max(1, np.abs(expected).max())
    assert expected.std() > 100 * atol, "a wrong weight would not show"
    run_backbone_test(model, blocks=blocks, found=outputs(name), expected=expected, atol=atol)
    check_blocks_pass_one_tensor(model)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_block_has_an_output_for_a_head(name):
    _, model, _ = pair(name)
    outputs = block_outputs(model, "all")
    assert list(outputs) == [block for block, _ in BACKBONES[name].blocks]
    assert list(outputs.values())[-1] is model.output


@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in SIBLINGS])
def test_a_saved_backbone_opens_with_the_checked_reader(name, tmp_path):
    _, model, images = pair(name)
    check_saving(model, inputs=images, folder=tmp_path, expected=outputs(name))


@pytest.mark.parametrize("name", ["vgg16", "inception_v3"])
def test_names_are_the_same_in_every_build(name):
    _, model, _ = pair(name)
    again = build_backbone(name, weights=None, image_size=model.input.shape[1])
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def test_the_image_size_of_the_weights_is_the_default():
    assert build_backbone("vgg16", weights=None).input.shape == (None, 224, 224, 3)


def test_an_unknown_name_suggests_the_nearest():
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
def test_a_failed_download_names_the_offline_options(monkeypatch, tmp_path, error):
    def refuse(*_arguments):
        raise error

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", refuse)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(InputError, match="--model.weights PATH.*efficientnet_lite0.*--model.weights none"):
        build_backbone("vgg16", image_size=32)


def test_other_errors_are_not_reported_as_failed_downloads(monkeypatch):
    def fail(**_options):
        raise ZeroDivisionError("a mistake in the code")

    monkeypatch.setattr("keras.applications.VGG16", fail)
    with pytest.raises(ZeroDivisionError):
        build_backbone("vgg16", weights=None)
