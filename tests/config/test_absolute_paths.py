import os
import shutil

import pytest

import tl_keras as tl
from tl_keras import evaluate, train
from tl_keras.config import CacheConfig, DataConfig, ModelConfig, RunConfig
from tl_keras.config.absolute_paths import with_absolute_paths
from tl_keras.config.adaptation_config import AdaptationConfig
from tl_keras.config.parsing import parse


def test_relative_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bert").mkdir()
    config = with_absolute_paths(
        RunConfig(
            task="text_classification",
            data=DataConfig(path="texts.csv", augmentation="none"),
            model=ModelConfig(backbone="./bert", weights="old.keras"),
            cache=CacheConfig(folder="kept"),
            adaptation=AdaptationConfig(method="mcc", target="../target"),
        )
    )
    assert config.data.path == str(tmp_path / "texts.csv")
    assert (config.model.backbone, config.model.weights) == (str(tmp_path / "bert"), str(tmp_path / "old.keras"))
    assert config.cache.folder == str(tmp_path / "kept")
    assert config.adaptation.target == str(tmp_path.parent / "target")
    assert with_absolute_paths(config) == config


def test_weights_of_a_run_folder_beside_become_absolute_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("myrun", "imagenet"):
        (tmp_path / name).mkdir()
    for weights, expected in {"myrun": str(tmp_path / "myrun"), "imagenet": "imagenet", "other": "other"}.items():
        assert with_absolute_paths(RunConfig(model=ModelConfig(weights=weights))).model.weights == expected


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(),
        RunConfig(task="object_detection"),
        RunConfig(data=DataConfig(path="tfds:mnist"), model=ModelConfig(backbone="keras_hub:hf://someone/some")),
    ],
)
def test_names_stay_unchanged(config):
    assert with_absolute_paths(config) == config


@pytest.mark.usefixtures("small_network")
def test_a_run_with_a_relative_path_is_evaluated_from_another_folder(
    image_folder, tiny_arguments, tmp_path, monkeypatch
):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    for path in image_folder.glob("*/"):
        shutil.copytree(path, tmp_path / "first" / "images" / path.name)
    monkeypatch.chdir(tmp_path / "first")
    phases = "[{train: head, epochs: 1}]"
    folder = train.run_training(parse([*tiny_arguments, "--data.path", "images", "--phases", phases, "--run", "run"]))
    monkeypatch.chdir(tmp_path / "second")
    results = evaluate.evaluate_run(tl.load_run(os.path.join("..", "first", folder)))
    assert results.read_json("metrics.json")["examples"] == 6


def test_paths_from_the_home_folder_are_expanded_in_flags_and_files(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    text = "data: {path: ~/photos}\nmodel: {weights: ~/old.keras}\nrun: ~/runs/new\n"
    (tmp_path / "mine.yaml").write_text(text + "adaptation: {method: mcc, target: ~/target}\n")
    config = parse(["--config", str(tmp_path / "mine.yaml"), "--cache.folder=~/kept"])
    paths = (config.data.path, config.model.weights, config.run, config.adaptation.target, config.cache.folder)
    assert [os.path.relpath(path, tmp_path) for path in paths] == ["photos", "old.keras", "runs/new", "target", "kept"]


def test_other_paths_stay(tmp_path):
    assert parse(["--data.path", "a~b"]).data.path == "a~b"
    assert parse([]).run is None
