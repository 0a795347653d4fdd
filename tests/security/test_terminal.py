"""Names with control characters in the files of a stranger: none of them reaches the terminal."""

import json
import shutil
import zipfile

import h5py
import numpy as np
import pytest

from tl_keras import evaluate, explain, export, predict, train
from tl_keras.cli.verbs import run_verb
from tl_keras.system.checksums import write_manifest

EVIL = "\x1b]0;evil\x07\x9b2J\u202e"


@pytest.fixture
def foreign_run(finished_run, tmp_path):
    return shutil.copytree(finished_run[0], tmp_path / "foreign")


def replace_member(path, name, content):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in (members | {name: content}).items():
            archive.writestr(member, data)


def name_in_the_manifest(run, images):
    with open(run / "SHA256SUMS", "a") as file:
        file.write(f"{'0' * 64}  {EVIL}\n")
    return predict.main, [str(run), str(images / "red" / "red-00.png")]


def class_names(run, images):
    replace_member(run / "model.keras", "class_names.json", json.dumps(["a", "b", EVIL]))
    write_manifest(run)
    return predict.main, [str(run), str(images / "red" / "red-00.png")]


def evaluated_class_names(run, images):
    class_names(run, images)
    return evaluate.main, [str(run), "--data", str(images)]


def explained_class_names(run, images):
    class_names(run, images)
    shutil.copy(images / "red" / "red-00.png", run.parent / f"{EVIL}.png")
    output = ["--class", EVIL, "--output", str(run.parent / "explained")]
    return explain.main, [str(run), str(run.parent / f"{EVIL}.png"), *output]


def exported_class_names(run, images):
    class_names(run, images)
    return export.main, [str(run), "--format", "keras", "--output", str(run.parent / EVIL)]


def name_of_a_layer_class(run, images):
    replace_member(run / "model.keras", "config.json", json.dumps({"module": "x", "class_name": EVIL, "config": {}}))
    write_manifest(run)
    return predict.main, [str(run), str(images / "red" / "red-00.png")]


def key_of_the_configuration(run, images):
    (run / "config.yaml").write_text(json.dumps({EVIL: 1}))
    write_manifest(run)
    return predict.main, [str(run), str(images / "red" / "red-00.png")]


def value_of_the_configuration(run, images):
    (run / "config.yaml").write_text(json.dumps({"task": EVIL}))
    write_manifest(run)
    return predict.main, [str(run), str(images / "red" / "red-00.png")]


def name_of_a_file(run, images):
    (run.parent / f"{EVIL}.png").write_text("no image")
    return predict.main, [str(run), str(run.parent / f"{EVIL}.png")]


def name_in_a_weight_file(run, images):
    with h5py.File(run.parent / "file.weights.h5", "w") as file:
        variables = file.create_group("layers/dense/vars")
        variables.attrs["name"] = EVIL
        variables["0"] = np.zeros((2, 2), "float32")
    weights = ["--model.weights", str(run.parent / "file.weights.h5"), "--run", str(run.parent / "new")]
    return train.main, ["--data.path", str(images), "--data.image_size", "32", *weights]


def name_of_a_class_folder(run, images):
    data = shutil.copytree(images, run.parent / "images")
    (data / "red").rename(data / EVIL)
    (data / "blue" / "blue-00.png").write_text("no image")
    return train.main, ["--data.path", str(data), "--data.image_size", "32", "--run", str(run.parent / "new")]


CASES = [
    name_in_the_manifest,
    class_names,
    evaluated_class_names,
    explained_class_names,
    exported_class_names,
    name_of_a_layer_class,
    key_of_the_configuration,
    value_of_the_configuration,
    name_of_a_file,
    name_in_a_weight_file,
    name_of_a_class_folder,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_no_name_controls_the_terminal(case, foreign_run, image_folder, capsys, monkeypatch):
    monkeypatch.setattr("tl_keras.exporting.latency.ROUNDS", 1)
    monkeypatch.setattr("tl_keras.exporting.latency.SECONDS_PER_TURN", 1e-6)
    verb, arguments = case(foreign_run, image_folder)
    try:
        run_verb(verb, arguments)
    except SystemExit as stop:
        assert stop.code == 2
    printed = "".join(capsys.readouterr())
    assert printed and not set(printed) & set(EVIL) - set("]0;evil2J")
