import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

import tl_keras as tl
from tl_keras.config import RunConfig
from tl_keras.runs.trained_run import TrainedRun
from tl_keras.system.checksums import write_manifest
from tl_keras.tasks.base import ExplanationOptions


def test_a_run_has_class_names_and_an_image_size(finished_run):
    run = tl.load_run(finished_run[0])
    assert run.class_names == ("blue", "green", "red")
    assert run.image_size == 32
    assert run.config.data.batch_size == 8


def test_a_run_has_metrics_and_a_history(finished_run):
    run = tl.load_run(finished_run[0])
    assert 0 <= run.metrics["accuracy"] <= 1
    assert len(run.history["val_loss"]) == 3


def test_images_of_another_size_are_resized_as_files_are(finished_run, image_folder):
    run = tl.load_run(finished_run[0])
    file = image_folder / "red" / "red-00.png"
    probabilities = run.predict(np.asarray(Image.open(file))[None])
    image = tl.data.read_image(str(file), 32)
    np.testing.assert_allclose(probabilities, run.predict(image[None]), atol=1e-6)
    assert run.class_names[probabilities[0].argmax()] == "red"


def test_an_unfinished_run_is_refused_with_the_command_to_resume(finished_run, tmp_path):
    (tmp_path / "config.yaml").write_text((finished_run[0] / "config.yaml").read_text())
    with pytest.raises(tl.InputError, match="resume it with `python -m tl_keras.train --config"):
        tl.load_run(tmp_path)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(tl.InputError, match="is not a run folder"):
        tl.load_run(tmp_path)


def test_images_are_predicted_as_callers_have_them(finished_run, image_folder):
    run = tl.load_run(finished_run[0])
    file = image_folder / "red" / "red-00.png"
    expected = run.predict([file])
    pixels = np.asarray(Image.open(file))
    for form in (str(file), Image.open(file), pixels, pixels.astype("float32"), [pixels], pixels[None]):
        np.testing.assert_allclose(run.predict(form), expected, atol=1e-6)
    assert run.classify(file) == ["red"]
    probabilities = run.predict(image_folder / "blue")
    assert run.classify(image_folder / "blue") == [run.class_names[row.argmax()] for row in probabilities]
    assert len(probabilities) == 12


@pytest.mark.parametrize("shape", [(0, 32, 32, 3), (2, 32, 32, 5), (32,)])
def test_arrays_that_are_not_images_are_refused(finished_run, shape):
    with pytest.raises(tl.InputError, match="expected paths, folders, Pillow images, or arrays"):
        tl.load_run(finished_run[0]).predict(np.zeros(shape, "uint8"))


@pytest.mark.parametrize(
    "name", ["model.keras", "config.yaml", "metrics.json", "history.json", "data.json", "SHA256SUMS"]
)
def test_a_flipped_byte_in_a_run_is_detected(finished_run, tmp_path, name):
    folder = shutil.copytree(finished_run[0], tmp_path / "run")
    tl.load_run(folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 3] ^= 4
    (folder / name).write_bytes(data)
    with pytest.raises(tl.InputError, match="have changed or are missing|is damaged"):
        tl.load_run(folder)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], r"returns '\(None, 3\) float32', expected numbers of shape \(examples, 2\)"),
        (None, "no class names"),
    ],
)
def test_a_model_with_another_number_of_classes_is_refused(finished_run, tmp_path, names, message):
    folder = shutil.copytree(finished_run[0], tmp_path / "run")
    with zipfile.ZipFile(finished_run[0] / "model.keras") as old, zipfile.ZipFile(folder / "model.keras", "w") as new:
        for name in old.namelist():
            if name != "class_names.json":
                new.writestr(name, old.read(name))
        if names:
            new.writestr("class_names.json", json.dumps(names))
    write_manifest(folder)
    with pytest.raises(tl.InputError, match=message):
        assert tl.load_run(folder).model


def test_the_model_is_opened_without_the_notes_of_tensorflow_before_its_memory_is_estimated(monkeypatch):
    order = []

    class Models:
        @property
        def affordable_batch(self):
            order.append("memory")
            return lambda model, batch_size: batch_size

    class Run(TrainedRun):
        model = property(lambda self: order.append("model"))

    monkeypatch.setattr("tl_keras.runs.trained_run.models", Models())
    run = object.__new__(Run)
    run.config = RunConfig()
    assert run.batch_size == run.config.data.batch_size
    assert order == ["model", "memory"]


def test_a_run_explains_images_as_callers_have_them(finished_run, image_folder):
    run = tl.load_run(finished_run[0])
    predicted, named = (run.explain(image_folder / "red" / "red-00.png", name) for name in (None, "blue"))
    assert predicted[0].class_name == predicted[0].predicted == "red"
    assert predicted[0].image.shape == (32, 32, 3) and predicted[0].heat_map.min() >= 0
    assert named[0].class_name == "blue" and named[0].predicted == "red"
    with pytest.raises(tl.InputError, match="did you mean 'blue'"):
        run.explain(image_folder, "bleu")


def test_detections_are_explained_from_the_threshold_of_the_run(monkeypatch):
    monkeypatch.setattr(TrainedRun, "score_threshold", 0.4)
    run = object.__new__(TrainedRun)
    run.config, run.class_names = RunConfig(task="object_detection"), ("cat", "dog")
    assert run.explanation_options() == ExplanationOptions(None, 0.4, 3)
    assert run.explanation_options("dog", 5) == ExplanationOptions(1, 0.4, 5)
    for value in (0, 2.5, "3"):
        with pytest.raises(tl.InputError, match=f"max_boxes is {value!r}, expected a whole number of at least 1"):
            run.explain(["image.png"], max_boxes=value)


@pytest.fixture
def copied_run(finished_run, tmp_path):
    """Function that copies the run with other values for its confidence and opens it."""

    def copy(confidence):
        folder = tmp_path / "copy"
        shutil.copytree(finished_run[0], folder)
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        (folder / "metrics.json").write_text(json.dumps(metrics | {"confidence": confidence}), encoding="utf-8")
        write_manifest(folder)
        return tl.load_run(folder)

    return copy


def test_the_recommended_confidence_calls_examples_unsure(copied_run, image_folder):
    run = copied_run({"min_confidence": 0.5})
    files = image_folder / "blue"
    expected = [run.class_names[row.argmax()] if row.max() >= 0.5 else "unsure" for row in run.predict(files)]
    assert run.classify(files, min_confidence="auto") == run.classify(files, min_confidence=0.5) == expected
    assert "unsure" not in run.classify(files, min_confidence=0)
    with pytest.raises(tl.InputError, match="expected a number from 0 to 1"):
        run.classify(files, min_confidence=2)


@pytest.mark.parametrize("value", [2, -1, True, "high", [0.5]])
def test_a_damaged_confidence_is_refused(copied_run, value):
    with pytest.raises(tl.InputError, match="expected a number from 0 to 1: copy the run again"):
        _ = copied_run({"min_confidence": value}).min_confidence


def test_a_run_without_a_recommendation_asks_for_a_number(copied_run):
    run = copied_run({"min_confidence": None})
    assert run.min_confidence is None and run.find_min_confidence(0.8) == 0.8
    with pytest.raises(tl.InputError, match="recommends none"):
        run.find_min_confidence("auto")


def test_a_run_embeds_images_at_any_block(finished_run, image_folder):
    run = tl.load_run(finished_run[0])
    file = image_folder / "red" / "red-00.png"
    features = run.embed(image_folder / "red")
    assert features.dtype == "float32" and len(features) == 12
    weights, bias = run.model.get_layer("head.logits").get_weights()
    powers = np.exp(features @ weights + bias)
    np.testing.assert_allclose(powers / powers.sum(1, keepdims=True), run.predict(image_folder / "red"), atol=1e-5)
    first = tl.block_names(run.model)[0]
    assert run.embed([file, file], block=first).shape[0] == 2
    with pytest.raises(tl.InputError, match="Unknown block 'nowhere'"):
        run.embed(file, block="nowhere")
    with pytest.raises(tl.InputError, match="takes the name of one block"):
        run.embed(file, block=[first])


@pytest.mark.parametrize("call", ["predict", "embed", "explain"])
def test_examples_in_memory_are_computed_in_batches_that_fit(finished_run, image_folder, monkeypatch, call):
    monkeypatch.setattr("tl_keras.models.affordable_batch", lambda model, size: min(size, 3))
    seen, run = [], tl.load_run(finished_run[0])
    name = "predict_new" if call == "predict" else call
    monkeypatch.setattr(type(run.task), name, lambda self, config, *_: seen.append(config.data.batch_size))
    getattr(run, call)(image_folder / "red")
    assert seen == [3] and run.config.data.batch_size == 8
