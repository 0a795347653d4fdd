"""What was saved before the modules moved into rooms opens, predicts and resumes as it did: see README.md there."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import tl_keras as tl
from tl_keras import train

ROOT = Path(tl.__file__).parents[1]
FOLDER = Path(__file__).parent / "saved_before_rooms"
DETECTORS = ("faster_rcnn", "retinanet", "yolo_v8", "d_fine")
CLASSES = {
    "box_decoders": {"AnchorDecoder", "ProposalDecoder"},
    "d_fine": {"QueryDecoder"},
    "d_fine_layers": {"InnerCells", "QueryRefinement", "QuerySelection"},
    "proposals": {"ProposalSelection"},
    "roi_align": {"RoIAlign"},
    "yolo_v8": {"CellDecoder"},
}
"""Every class of ours that saved models name, by its module in tl_keras.models.detection of then."""


def expected(name):
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def assert_close(one, other, tolerance=1e-5):
    np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def assert_finds(model, name):
    saved = expected("detectors")
    found = {key: np.asarray(values) for key, values in model(saved["images"]).items()}
    assert (found["labels"] >= 0).any()
    for key, values in found.items():
        assert_close(values, saved[f"{name}_{key}"])


def run_apart(code, folder):
    """Runs code in a Python of its own."""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, capture_output=True)


def own_classes(path):
    """Pairs of module and name of the classes of this project that a model file names."""
    with zipfile.ZipFile(path) as archive:
        waiting, found = [json.loads(archive.read("config.json"))], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict) and str(value.get("module")).startswith("tl_keras"):
            found.add((value["module"], value["class_name"]))
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found


def test_an_image_run_predicts_what_it_predicted():
    saved, run = expected("image_classification"), tl.load_run(FOLDER / "image_classification")
    assert run.class_names == tuple(saved["class_names"])
    assert_close(run.predict(saved["images"]), saved["predictions"])
    assert_close(run.predict(saved["squares"]), saved["predictions_of_squares"])


def test_a_text_run_predicts_what_it_predicted():
    saved, run = expected("text_classification"), tl.load_run(FOLDER / "text_classification")
    assert run.class_names == tuple(saved["class_names"])
    assert_close(run.predict(saved["texts"].tolist()), saved["predictions"])


def test_a_run_on_boxes_finds_what_it_found():
    saved, run = expected("object_detection"), tl.load_run(FOLDER / "object_detection")
    assert run.class_names == tuple(saved["class_names"])
    for number, found in enumerate(run.predict(saved["images"])):
        assert len(found["scores"])
        for name, values in found.items():
            assert_close(values, saved[f"{name}_{number}"])


@pytest.mark.parametrize("name", ["image_classification", "text_classification", "object_detection"])
def test_a_run_knows_its_figures(name):
    run = tl.load_run(FOLDER / name)
    assert run.config.task == name
    assert run.metrics["examples"] and run.history["val_loss"]


@pytest.mark.slow
def test_plain_keras_predicts_what_the_runs_predicted(tmp_path):
    code = f"""
import sys
sys.modules["tl_keras"] = None  # as if it were not installed
import keras, keras_hub
import numpy as np
images = np.load({str(FOLDER / "image_classification.npz")!r})["squares"]
texts = np.load({str(FOLDER / "text_classification.npz")!r})["texts"].astype(object)
for task, examples in (("image_classification", images), ("text_classification", texts)):
    model = keras.models.load_model({str(FOLDER)!r} + f"/{{task}}/model.keras")
    np.save(f"{{task}}.npy", model.predict(examples, verbose=0))
"""
    run_apart(code, tmp_path)
    saved = expected("image_classification")["predictions_of_squares"]
    assert_close(np.load(tmp_path / "image_classification.npy"), saved)
    assert_close(np.load(tmp_path / "text_classification.npy"), expected("text_classification")["predictions"])


def test_the_saved_detectors_name_every_class_of_ours():
    named = set.union(*(own_classes(FOLDER / "detectors" / f"{name}.keras") for name in DETECTORS))
    assert named == {
        (f"tl_keras.models.detection.{module}", name) for module, names in CLASSES.items() for name in names
    }


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_finds_what_it_found(name):
    assert_finds(tl.models.open_detector(FOLDER / "detectors" / f"{name}.keras"), name)


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("yolo_v8", "d_fine")]


@pytest.mark.parametrize("name", ["faster_rcnn", "retinanet", *SLOW])
def test_keras_opens_a_detector_once_this_project_is_loaded(name):
    assert tl.models.open_detector
    assert_finds(keras.models.load_model(FOLDER / "detectors" / f"{name}.keras"), name)


@pytest.mark.slow
def test_detectors_open_in_a_python_that_has_loaded_nothing_else():
    paths = [str(FOLDER / "detectors" / f"{name}.keras") for name in DETECTORS]
    code = f"import tl_keras as tl\ntl.load_run({str(FOLDER / 'object_detection')!r}).model\n"
    run_apart(f"{code}for path in {paths!r}:\n    tl.models.open_detector(path)\n", ROOT)


def test_an_unfinished_run_resumes_and_ends_with_the_same_model(tmp_path, small_network, eager):
    saved, run = expected("unfinished"), shutil.copytree(FOLDER / "unfinished", tmp_path / "run")
    for number, (image, label) in enumerate(zip(saved["all_images"], saved["labels"], strict=True)):
        (tmp_path / "images" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "images" / label / f"{number:02d}.png")
    config = run / "config.yaml"
    # Only the path of the data is changed: they have moved since.
    text = re.sub(r"/tmp/tl_keras_saved_before_rooms/\w+", str(tmp_path / "images"), config.read_text(encoding="utf-8"))
    config.write_text(text, encoding="utf-8")
    train.main(["--config", str(config), "--run", str(run), "--resume", "must"])
    history, before = tl.load_run(run).history, json.loads(str(saved["history"]))
    assert history.keys() == before.keys()
    for name, values in before.items():
        assert_close(history[name], values)
    assert_close(tl.load_run(run).predict(saved["images"]), saved["predictions"])
