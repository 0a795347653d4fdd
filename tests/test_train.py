import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

import tl_keras as tl
from tests.conftest import printed_run
from tl_keras import train
from tl_keras.config.parsing import parse

FILES = [
    "SHA256SUMS",
    "config.yaml",
    "versions.json",
    "data.json",
    "log.jsonl",
    "model.keras",
    "metrics.json",
    "history.json",
    "confusion_matrix.png",
    "mistakes.png",
    "predictions.csv",
    "history.png",
    "report.html",
    "model_card.md",
]


@pytest.fixture(scope="module")
def pretrained_run(tiny_arguments, tmp_path_factory):
    """Folder of a finished run of pretrained weights, and the output of its training."""
    return printed_run(tmp_path_factory.mktemp("runs") / "pretrained", tiny_arguments)


@pytest.mark.parametrize("name", FILES)
def test_a_run_leaves(pretrained_run, name):
    folder, _ = pretrained_run
    assert (folder / name).stat().st_size > 0


def test_a_run_tells_what_it_does_and_what_to_type_next(pretrained_run):
    folder, printed = pretrained_run
    lines = printed.splitlines()
    assert lines[0] == "24 training, 6 validation, 6 test images of 3 classes, 32 × 32 pixels"
    assert sum(line.startswith("  epoch") for line in lines) == 3
    assert "phase 2/2, training: top, head" in lines
    assert sum(line.startswith("  audit") for line in lines) == 2
    assert any(line.startswith("test: accuracy") and "macro_f1" in line for line in lines)
    assert f"run folder: {folder}" in lines
    assert lines[-1] == f"next: python -m tl_keras.predict {folder} FILE_OR_FOLDER"


def test_pretrained_features_tell_colours_apart(pretrained_run):
    folder, _ = pretrained_run
    assert json.loads((folder / "metrics.json").read_text())["accuracy"] >= 0.8


def test_the_saved_model_names_only_classes_of_keras_and_predicts_the_same_in_it(pretrained_run):
    folder, _ = pretrained_run
    with zipfile.ZipFile(folder / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    parts = list(mappings(config))
    assert {str(part["module"]).partition(".")[0] for part in parts if "module" in part} == {"keras"}
    assert not any(
        part.get("registered_name", "").startswith("tl_keras") for part in parts if part.get("registered_name")
    )
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("uint8")
    plain = keras.models.load_model(folder / "model.keras")(images, training=False)
    np.testing.assert_allclose(plain, tl.load_run(folder).predict(images), atol=1e-6)


def mappings(value):
    """Yields a dict and all dicts in it."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(part)


def test_the_written_configuration_is_the_one_that_ran(pretrained_run, tiny_arguments):
    folder, _ = pretrained_run
    again = parse(["--config", str(folder / "config.yaml")])
    assert again == parse([*tiny_arguments, "--run", str(folder)])


@pytest.mark.usefixtures("small_network")
def test_bad_files_can_be_skipped_and_are_reported(image_folder, tiny_arguments, tmp_path):
    folder = tmp_path / "images"
    shutil.copytree(image_folder, folder)
    (folder / "red" / "page.jpg").write_text("<html></html>")
    arguments = [*tiny_arguments, "--phases", "[{train: head}]", "--data.path", str(folder)]
    arguments += ["--run", str(tmp_path / "run")]
    with pytest.raises(tl.InputError, match="red/page.jpg"):
        train.main(arguments)
    with pytest.raises(tl.InputError, match="2.7%, where .* 0% at most: red/page.jpg .* --data.max_bad_files 0.028"):
        train.main([*arguments, "--data.on_bad_file", "skip", "--data.max_bad_files", "0"])
    train.main([*arguments, "--data.on_bad_file", "skip"])
    assert "red/page.jpg" in (tmp_path / "run" / "report.html").read_text()
    skipped = (tmp_path / "run" / "skipped.txt").read_text()
    assert skipped == "red/page.jpg\tnot an image that can be recognised\n"


@pytest.mark.usefixtures("small_network")
def test_several_labels_run_to_their_end(image_folder, tiny_arguments, tmp_path):
    rows = ["path,label"]
    for path in sorted(image_folder.glob("*/*.png")):
        extra = "|warm" if path.parent.name == "red" else ""
        rows.append(f"{path.relative_to(image_folder)},{path.parent.name}{extra}")
    (image_folder / "labels.csv").write_text("\n".join(rows))
    flags = ["--data.path", str(image_folder / "labels.csv"), "--data.multi_label", "true"]
    flags += ["--phases", "[{train: head}]"]
    folder = train.run_training(parse([*tiny_arguments, *flags, "--run", str(tmp_path / "run")]))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["per_class"]) == {"blue", "green", "red", "warm"}
    assert "subset_accuracy" in metrics
