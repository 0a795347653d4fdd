"""Runs of detectors from a stranger, and hostile boxes to evaluate them on: one sentence, and nothing written."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.eager_functions import eager_functions
from tests.models.detection.tiny_detectors import tiny_backbone
from tests.tasks.rectangle_runs import detector_flags, write_rectangles
from tl_keras import evaluate, explain, export, label, models, predict, train
from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse
from tl_keras.models.detection import building
from tl_keras.system.checksums import write_manifest

EVIL = "\x1b]0;evil\x07\x9b2J\u202e"
FORMULA = "=1+1;@x"
NOT_A_THRESHOLD = ["", "[]", "{}", '{"score_threshold": null}', '{"score_threshold": true}', '{"score_threshold": NaN}']


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes") / "rectangles"
    write_rectangles(folder, {"train": 2, "validation": 2, "test": 2})
    return folder


@pytest.fixture(scope="module")
def finished_detector(boxes, tmp_path_factory):
    """Folder of a finished run of a tiny detector."""
    flags = detector_flags(boxes, "[{train: head, learning_rate: 0.003}]")
    with pytest.MonkeyPatch.context() as patch, eager_functions():
        patch.setattr(building, "build_backbone", lambda *_, **__: tiny_backbone())
        # No test opens the SavedModel, whose graph takes a third of the run.
        patch.setattr(models, "export_detector", lambda model, names, folder: tf.saved_model.save(tf.Module(), folder))
        return train.run_training(parse([*flags, "--run", str(tmp_path_factory.mktemp("runs") / "finished")]))


@pytest.fixture
def foreign_run(finished_detector, tmp_path):
    """Copies the run into a folder beside a file of the user, which must stay alone and as it is."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".bashrc").write_text("years of work")
    yield shutil.copytree(finished_detector, tmp_path / "foreign")
    assert [path.read_text() for path in (tmp_path / "home").iterdir()] == ["years of work"]


def refused(verb, *arguments, capsys):
    """Runs a verb, which must end with exit code 2 and one sentence; returns the sentence."""
    with pytest.raises(SystemExit) as stop:
        run_verb(verb.main, [str(argument) for argument in arguments])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert stop.value.code == 2 and not set(line) & set("\x1b\x07\x9b\u202e")
    return line


def calls(run, boxes):
    """Returns the arguments of each verb on a run."""
    image = next((boxes / "test").iterdir())
    return {
        predict: [run, image],
        evaluate: [run],
        explain: [run, image, "--output", run.parent / "explained"],
        export: [run, "--format", "keras"],
        label: ["check", run, "--output", run.parent / "checked"],
    }


def change_model(run, change=lambda layers: None, names=None, weights=None):
    """Changes the layers, the class names or the weights of the model, and the digests of the run with it."""
    with zipfile.ZipFile(run / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change({layer["name"]: layer["config"] for layer in config["config"]["layers"]})
    members["config.json"] = json.dumps(config)
    if names:
        members["class_names.json"] = json.dumps(names)
    if weights:
        members["model.weights.h5"] = weights
    with zipfile.ZipFile(run / "model.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    write_manifest(run)


@pytest.mark.parametrize("record", NOT_A_THRESHOLD)
@pytest.mark.parametrize("verb", [predict, evaluate, explain, label], ids=lambda verb: verb.__name__)
def test_a_detector_without_a_score_threshold_is_refused(foreign_run, boxes, record, verb, capsys):
    (foreign_run / "metrics.json").write_text(record)
    write_manifest(foreign_run)
    assert "metrics.json" in refused(verb, *calls(foreign_run, boxes)[verb], capsys=capsys)


@pytest.mark.parametrize("layer", ["proposals", "head"])
def test_a_detector_whose_weights_are_nan_is_no_detector_that_finds_nothing(
    foreign_run, boxes, layer, tmp_path, capsys
):
    model = building.open_detector(foreign_run / "model.keras")
    weight = next(one for one in model.weights if one.path.startswith(layer))
    weight.assign(np.full(weight.shape, np.nan))
    model.save_weights(tmp_path / "nan.weights.h5")
    change_model(foreign_run, weights=(tmp_path / "nan.weights.h5").read_bytes())
    assert "holds NaN: the file is damaged" in refused(predict, *calls(foreign_run, boxes)[predict], capsys=capsys)


ABSURD = {
    "anchors": lambda layers: layers["proposals.select"]["anchors"].update(sizes=[[1e6] * 100_000]),
    "aspect ratios": lambda layers: layers["proposals.select"]["anchors"].update(aspect_ratios=[1.0] * 10_000),
    "strides": lambda layers: layers["proposals.select"]["anchors"].update(strides=[0]),
    "proposals": lambda layers: layers["proposals.select"].update(num_proposals=10**9),
    "candidates": lambda layers: layers["proposals.select"].update(candidates_per_level=-1),
    "pool": lambda layers: layers["head.align"].update(pool_size=9_999),
    "samples": lambda layers: layers["head.align"].update(sampling_ratio=1e308),
    "detections": lambda layers: layers["detections"]["settings"].update(max_detections=10**30),
    "image": lambda layers: layers["detections"].update(image_size=2**31),
    "format": lambda layers: layers["detections"].update(bounding_box_format=EVIL),
}


@pytest.mark.parametrize("name", ABSURD)
def test_a_detector_with_absurd_sizes_is_refused(foreign_run, boxes, name, capsys):
    change_model(foreign_run, ABSURD[name])
    assert "The model" in refused(predict, *calls(foreign_run, boxes)[predict], capsys=capsys)


def break_reshape(layers):
    # Keras numbers the names, which count on in a process.
    first = next(name for name in layers if name.startswith("reshape"))
    layers[first]["newshape"][1] = float("nan")


@pytest.mark.parametrize("verb", [predict, evaluate, explain, export, label], ids=lambda verb: verb.__name__)
def test_a_layer_that_cannot_compute_what_it_declares_is_one_sentence(foreign_run, boxes, verb, capsys):
    change_model(foreign_run, break_reshape)
    assert "Reshape.call()" in refused(verb, *calls(foreign_run, boxes)[verb], capsys=capsys)


@pytest.mark.parametrize("verb", [evaluate, label], ids=lambda verb: verb.__name__)
def test_more_classes_than_names_are_refused(foreign_run, boxes, verb, capsys, monkeypatch):
    found = {"boxes": [[0.0, 0, 9, 9]], "scores": [0.9], "labels": [1]}
    monkeypatch.setattr(
        "tl_keras.tasks.object_detection.ObjectDetection.predict",
        lambda self, model, examples, size: [{name: np.array(part) for name, part in found.items()}] * len(examples),
    )
    change_model(foreign_run, names=["red"])
    assert "the classes that it names" in refused(verb, *calls(foreign_run, boxes)[verb], capsys=capsys)


def test_class_names_of_a_detector_control_no_terminal(foreign_run, boxes, capsys):
    change_model(foreign_run, names=[FORMULA, EVIL])
    arguments = [*calls(foreign_run, boxes)[predict], "--score_threshold", "0"]
    run_verb(predict.main, [str(one) for one in [*arguments, "--annotated", foreign_run.parent / "drawn"]])
    printed = "".join(capsys.readouterr())
    assert printed and not set(printed) & set(EVIL) - set("]0;evil2J")
    legend = (foreign_run.parent / "drawn" / "classes.txt").read_text(encoding="utf-8")
    assert not set(legend) & set(EVIL) - set("]0;evil2J")


LINKED = ["evaluations", "evaluations/test/detections.json", "exports", "exports/saved_model", "saved_model/x"]


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("verb", [evaluate, export], ids=lambda verb: verb.__name__)
def test_a_link_below_the_run_of_a_detector_is_refused(foreign_run, boxes, name, verb, capsys):
    (foreign_run / name).parent.mkdir(parents=True, exist_ok=True)
    (foreign_run / name).symlink_to(foreign_run.parent / "home", target_is_directory=True)
    assert "is a link" in refused(verb, *calls(foreign_run, boxes)[verb], capsys=capsys)


RESUMED = {
    "data.json": "[]",
    "versions.json": "x",
    "devices.json": '{"replicas": "x"}',
    "config.yaml": "- 1",
    "detections.json": None,
    "saved_model/fingerprint.pb": None,
    "training_boxes.png": None,
}


@pytest.mark.parametrize("name", RESUMED)
def test_a_damaged_unfinished_run_of_a_detector_is_not_resumed(foreign_run, boxes, name, capsys):
    config = shutil.copy(foreign_run / "config.yaml", foreign_run.parent)
    (foreign_run / "SHA256SUMS").unlink()
    (foreign_run / name).unlink()
    if RESUMED[name]:
        (foreign_run / name).write_text(RESUMED[name])
    else:
        (foreign_run / name).symlink_to(foreign_run.parent / "home" / ".bashrc")
    error = refused(train, "--config", config, "--run", foreign_run, capsys=capsys)
    assert name in error or name == "config.yaml"


COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 10]}],
    "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}],
}
YOLO = "names: [red, blue]\ntrain: images\n"
VOC = (
    "<annotation><filename>a.png</filename><object><name>{0}</name><bndbox><xmin>{1}</xmin><ymin>1</ymin>"
    "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
)


def coco(part, **changes):
    return {"b.json": json.dumps(COCO | {part: [COCO[part][0] | changes, *COCO[part][1:]]})}


def yolo(line, text=YOLO):
    return {"data.yaml": text, "labels/a.txt": line}


BOXES = {
    "COCO: an image elsewhere": coco("images", file_name="../home/.bashrc"),
    "COCO: an absolute path": coco("images", file_name="/etc/passwd"),
    "COCO: a name with ESC": coco("images", file_name=f"{EVIL}.png"),
    "COCO: infinity": coco("annotations", bbox=[float("inf")] * 4),
    "COCO: formulas": coco("annotations", bbox=[FORMULA] * 4),
    "COCO: a list as id": coco("annotations", image_id=[1]),
    "COCO: a dict as class": coco("annotations", category_id={}),
    "COCO: a class with ESC": coco("categories", name=EVIL),
    "COCO: a class as formula": coco("categories", name=FORMULA),
    "COCO: no boxes": {"b.json": json.dumps(COCO | {"annotations": []})},
    "COCO: nested": {"b.json": "[" * 100_000},
    "YOLO: an unknown class": yolo("9 .5 .5 .2 .2"),
    "YOLO: NaN": yolo("0 nan inf .2 .2"),
    "YOLO: a long number": yolo(f"0 {'9' * 100_000} .5 .2 .2"),
    "YOLO: a class with ESC": yolo("0 .5 .5 .2 .2", 'names: ["\\e]0;evil", blue]\ntrain: images\n'),
    "YOLO: images elsewhere": yolo("0 .5 .5 .2 .2", "names: [red, blue]\ntrain: /etc\n"),
    "VOC: a class with RLO": {"images/a.xml": VOC.format("\u202ered", 1)},
    "VOC: a long class": {"images/a.xml": VOC.format("red" * 100_000, 1)},
    "VOC: NaN": {"images/a.xml": VOC.format("red", "nan")},
    "VOC: a long number": {"images/a.xml": VOC.format("red", "9" * 5_000)},
}


@pytest.mark.parametrize("name", BOXES)
def test_a_detector_is_not_evaluated_on_hostile_boxes(foreign_run, tmp_path, name, capsys):
    data, written = tmp_path / "data", BOXES[name]
    for path in ("a.png", "images/a.png"):
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64)).save(data / path)
    for path, content in written.items():
        (data / path).parent.mkdir(exist_ok=True)
        (data / path).write_text(content, encoding="utf-8")
    (first, *_) = written
    source = data / ("images" if first.endswith(".xml") else first)
    assert len(refused(evaluate, foreign_run, "--data", source, capsys=capsys)) < 3_000
    assert not (foreign_run / "evaluations").exists()
