import errno
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas
import pytest
import tensorflow as tf
from PIL import Image

import tl_keras as tl
from tests.models.detection.tiny_detectors import SIZE, tiny_backbone
from tests.tasks import task_cases
from tests.tasks.rectangle_runs import NAMES, detector_flags, write_rectangles
from tl_keras import data, evaluate, explain, label, predict
from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError, RunStopped, counted
from tl_keras.tasks.object_detection import ObjectDetection

COUNTS = {"train": 8, "validation": 4, "test": 4}
HEIGHT = 48
"""Height of the images in pixels; their width is `SIZE`."""


def write_data(folder):
    """Writes 16 images of red and blue rectangles in COCO's format, and returns the flags of a run on them."""
    write_rectangles(folder / "rectangles", COUNTS, HEIGHT)
    phases = "[{train: block4, learning_rate: 0.003}, {train: all, epochs: 12, learning_rate: 0.003}]"
    return [*detector_flags(str(folder / "rectangles"), phases), "--data.augmentation", "light"]


CASE = task_cases.TaskCase(
    "object_detection",
    write_data,
    "tl_keras.models.detection.building.build_backbone",
    lambda *_, **__: tiny_backbone(),
    lambda folder: sorted((folder / "rectangles" / "test").glob("*.jpg"))[:2],
    task_cases.PIXELS,
    lambda found: np.concatenate([one["boxes"].ravel() for one in found]),
)


@pytest.fixture(scope="module")
def boxed_images(tiny):
    """The folder of the images."""
    return str(tiny.data / "rectangles")


@pytest.fixture
def opened_once(trained, monkeypatch):
    """Lets the verbs take the opened run."""
    for verb in (predict, explain):
        monkeypatch.setattr(verb, "load_run", lambda folder: trained)


class TestContract(task_cases.TaskChecks):
    """Checks object detection; further trainings of a detector are left to the slow tests."""

    @pytest.mark.slow
    def test_resuming(self, tiny):
        super().test_resuming(tiny)

    @pytest.mark.slow
    def test_caching(self, tmp_path):
        # Augmented images are cached view by view only.
        super().test_caching(task_cases.TinyRun(replace(CASE, write_data=task_cases.write_boxes), tmp_path))


def test_a_run_learns_and_leaves_its_results(run):
    history = json.loads((run / "history.json").read_text())
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    measured = [line for line in log if line["event"] == "phase_validation"]
    assert [line["phase"] for line in measured] == list(range(1, len(measured) + 1)) and measured
    assert all(0 <= line["average_precision_50"] <= 1 for line in measured)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["examples"] == 4 and set(metrics["per_class"]) == set(NAMES)
    for name in ("training_boxes.png", "detections.png", "precision_recall.png", "report.html", "model_card.md"):
        assert (run / name).stat().st_size > 500
    report = (run / "report.html").read_text()
    assert "Mistakes by kind" in report and "Right of each image its map" in report
    found = json.loads((run / "detections.json").read_text())
    assert [image["height"] for image in found["truth"]["images"]] == [HEIGHT] * 4
    assert found["results"] and max(one["bbox"][1] + one["bbox"][3] for one in found["results"]) <= HEIGHT + 1e-3


def test_the_table_of_detections_has_the_mistakes_of_the_report(run):
    table = pandas.read_csv(run / "predictions.csv")
    metrics = json.loads((run / "metrics.json").read_text())
    counts = table["outcome"].value_counts()
    assert {kind: counts.get(kind, 0) for kind in metrics["mistakes"]} == metrics["mistakes"]
    assert set(table["split"]) == {"test"} and (table["score"].dropna() >= metrics["score_threshold"] - 1e-6).all()
    assert counts.get("right", 0) == round(metrics["recall"] * metrics["boxes"])
    assert table["ground_truth_ymax"].max() <= HEIGHT, "boxes are in pixels of the original image"


def test_the_saved_model_gives_the_same_boxes_without_keras(run, trained, boxed_images):
    images = np.stack([data.read_image(f"{boxed_images}/test/0000{row}.jpg", SIZE, "pad") for row in range(2)])
    loaded = tf.saved_model.load(str(run / "saved_model"))
    found = loaded.serve(images.astype("float32"))
    expected = trained.model.predict(images, verbose=0)
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-3)
    names, real = found["class_names"].numpy(), expected["labels"] >= 0
    assert [name.decode() for name in names[real]] == [NAMES[label] for label in expected["labels"][real]]
    assert set(names[~real].tolist()) <= {b""}


def test_boxes_are_in_the_pixels_of_each_image(trained, boxed_images):
    image = Image.open(f"{boxed_images}/test/00000.jpg")
    images = [np.asarray(image), np.asarray(image.resize((2 * SIZE, 2 * HEIGHT), Image.Resampling.NEAREST))]
    one, other = trained.predict(images)
    assert len(one["boxes"]) and set(one) == {"boxes", "scores", "labels"}
    assert min(np.abs(one["boxes"] - other["boxes"][0] / 2).max(axis=1)) < 3


@pytest.mark.parametrize("images", [np.zeros((1, 8, 8), np.uint8), np.full((1, 8, 8, 3), 0.5, np.float32), []])
def test_what_is_no_image_is_refused(trained, images):
    with pytest.raises(InputError, match="expected paths, folders, Pillow images, or arrays|multiply it by 255"):
        trained.predict(images)


def test_evaluating_again_gives_the_figures_of_the_training(run, trained, boxed_images):
    before = json.loads((run / "metrics.json").read_text())
    again = evaluate.evaluate_run(trained).read_json("metrics.json")
    assert again == before
    other = evaluate.evaluate_run(trained, f"{boxed_images}/annotations/instances_validation.json")
    assert other.read_json("metrics.json")["score_threshold"] == before["score_threshold"]


@pytest.mark.usefixtures("opened_once")
def test_predict_writes_coco_and_draws_detections(run, boxed_images, tmp_path, capsys):
    output, drawn = tmp_path / "found.json", tmp_path / "drawn"
    arguments = [str(run), f"{boxed_images}/test", "--output", str(output), "--annotated", str(drawn)]
    predict.main([*arguments, "--score_threshold", "0.1"])
    document = json.loads(output.read_text())
    boxes = counted(len(document["annotations"]), "box", "boxes")
    places = f"predictions: {boxes} in 4 images written to {output}\nannotated images: 4 written to {drawn}\n"
    assert capsys.readouterr().err.endswith(places)
    assert [image["height"] for image in document["images"]] == [HEIGHT] * 4
    assert all(one["score"] >= 0.1 for one in document["annotations"])
    width, height = Image.open(drawn / "00000.png").size
    assert width % SIZE == 0 and height == width // SIZE * HEIGHT


@pytest.mark.usefixtures("opened_once")
def test_a_table_of_boxes_names_each_image_once(run, boxed_images, tmp_path, capsys):
    shutil.copy(f"{boxed_images}/test/00000.jpg", tmp_path)
    rows = ["00000.jpg,0,0,5,5,red,mon", "00000.jpg,1,1,8,8,blue,mon"]
    (tmp_path / "table.csv").write_text("\n".join(["path,xmin,ymin,xmax,ymax,label,day", *rows]))
    output = tmp_path / "out.jsonl"
    predict.main([str(run), str(tmp_path / "table.csv"), "--score_threshold", "1", "--output", str(output)])
    assert capsys.readouterr().err.endswith(f"predictions: 0 boxes in 1 image written to {output}\n")
    assert json.loads(output.read_text()) == {"path": "00000.jpg", "day": "mon", "objects": []}


@pytest.mark.usefixtures("opened_once")
def test_a_full_disk_of_annotated_images_loses_no_prediction(run, boxed_images, tmp_path, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    original = ObjectDetection.draw_prediction
    monkeypatch.setattr(ObjectDetection, "draw_prediction", fill)
    output, drawn = tmp_path / "found.json", tmp_path / "drawn"
    with pytest.raises(RunStopped, match="predictions are complete, but only 0 of 4"):
        predict.main([str(run), f"{boxed_images}/test", "--output", str(output), "--annotated", str(drawn)])
    assert len(json.loads(output.read_text())["images"]) == 4
    parquet = ["--output", str(tmp_path / "parts"), "--format", "parquet", "--annotated", str(drawn)]
    with pytest.raises(OSError, match="No space left"):
        predict.main([str(run), f"{boxed_images}/test", *parquet])
    monkeypatch.setattr(ObjectDetection, "draw_prediction", original)
    predict.main([str(run), f"{boxed_images}/test", *parquet])
    assert len(list(drawn.glob("*.png"))) == 4 and len(list((tmp_path / "parts").iterdir())) == 1


@pytest.mark.usefixtures("opened_once")
def test_detections_are_explained_and_bad_files_named(run, trained, boxed_images, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"not an image")
    folders, out = [f"{boxed_images}/test", f"{boxed_images}/train"], tmp_path / "out"
    with pytest.raises(InputError, match="1 of .* files could not be read: .*bad.png"):
        explain.main([str(run), *folders, str(tmp_path / "bad.png"), "--max_boxes", "1", "--output", str(out)])
    records = json.loads((out / "explanations.json").read_text())
    assert all((out / record["plot"]).stat().st_size for record in records)
    assert {len(record["detections"]) for record in records} <= {0, 1}
    assert f"{records[0]['item']}: " in capsys.readouterr().out
    # A named class is explained below the threshold, too.
    (first, *_) = trained.explain(f"{boxed_images}/test", "red")
    assert {one.class_name for one in first.detections} == {"red"} and first.image.shape == (SIZE, SIZE, 3)
    (predicted, *_) = trained.predict(f"{boxed_images}/test")
    boxes = predicted["boxes"][predicted["labels"] == NAMES.index("red")][:3]
    np.testing.assert_allclose([one.box for one in first.detections], boxes, atol=0.1)
    assert all(0 <= one.heat_map.min() <= one.heat_map.max() <= 1 for one in first.detections)


def test_images_whose_boxes_and_detections_disagree_are_listed(run, tmp_path, capsys):
    label.main(["check", str(run), "--output", str(tmp_path)])
    assert "of 16 images boxes and detections disagree" in capsys.readouterr().out
    assert (tmp_path / "box_check.csv").read_text().startswith("name,split,boxes,disagreement,unlabelled,")
    with pytest.raises(InputError, match="The task of the run is object_detection: expected a run that classifies"):
        label.main(["next", str(run), "--pool", str(tmp_path)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--top", "2"], "--top is for runs that classify"),
        (["--files"], "--files is for runs on texts"),
        (["--score_threshold", "2"], "--score_threshold must lie from 0 to 1"),
    ],
)
def test_flags_of_other_tasks_are_refused(run, boxed_images, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run_verb(predict.main, [str(run), boxed_images, *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_augmented_views_are_stored_with_their_boxes(tiny, tmp_path):
    phases = "[{train: proposals, epochs: 4, learning_rate: 0.003}]"
    options = ["--cache.mode", "on", "--cache.views", "2", "--run", str(tmp_path / "run")]
    with CASE.patched():
        folder = tl.run_training(parse([*tiny.flags, "--phases", phases, *options]))
    assert "2 augmented views" in (folder / "report.html").read_text()
