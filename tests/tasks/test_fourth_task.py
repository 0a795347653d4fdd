"""A task of one's own: the regression of one number from an image, in this file alone."""

import contextlib
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from tests.models.small_backbone import small_backbone
from tests.tasks import task_cases
from tl_keras import data, transfer
from tl_keras.data.images.image_items import find_image_files, predict_files
from tl_keras.tasks.base import ReportExtras, Task, global_batch_size
from tl_keras.tasks.registry import TASKS

NAME = "image_regression"


@contextlib.contextmanager
def number_writer(stream):
    yield lambda file, number: stream.write(f"{file}  {number:.3f}\n")


class ImageRegression(Task):
    """Predicts one number, which the name of an image's folder gives."""

    name = NAME
    defaults = {
        "data": {"augmentation": "none", "resize": "stretch"},
        "model": {"backbone": "small", "weights": "none"},
    }
    unused_settings = {"text": None, "detection": None}
    headline_metrics = ("mean_absolute_error",)
    writers = {"table": number_writer}

    def backbones(self, config):
        return ["small"]

    def load_data(self, config):
        records = data.find_records(config.data.path)
        records = data.split_records(records, validation_fraction=0.2, test_fraction=0.2, seed=config.seed)
        return self._with_numbers(data.load_image_splits(records, config.data.image_size))

    def load_test_data(self, run, path, split=None):
        records = data.choose_test_examples(data.find_records(path), path, split)
        return self._with_numbers(data.load_image_splits(records, run.image_size)).test

    def _with_numbers(self, splits):
        values = np.array([float(name) for name in splits.class_names], "float32")
        parts = {
            name: replace(part, labels=values[part.labels][:, None], class_names=("brightness",))
            for name in ("train", "validation", "test")
            for part in [getattr(splits, name)]
        }
        return replace(splits, class_names=("brightness",), **parts)

    def describe(self, config, splits):
        return f"{self.list_counts(splits)} images with a number"

    def content(self, name, part):
        yield repr((name, part.names, part.labels.tolist())).encode()
        yield part.images

    def build_model(self, config, splits):
        features = small_backbone("small", image_size=config.data.image_size)
        pooled = keras.layers.GlobalAveragePooling2D(name="head.pool")(features.output)
        outputs = keras.layers.Dense(1, dtype="float32", name="head.output")(pooled)
        model = keras.Model(features.input, outputs, name=features.name)
        model.class_names = splits.class_names
        return model

    def compile_model(self, config, model, optimizer):
        model.compile(optimizer, loss="mean_squared_error")

    def training_inputs(self, config, splits, first_epoch, features=None, num_replicas=1):
        batch_size = global_batch_size(config, num_replicas)
        train, validation = (features or splits).train, (features or splits).validation
        return {
            "x": data.make_dataset(train, batch_size, shuffle_seed=config.seed, first_epoch=first_epoch),
            "shuffle": False,
            "steps_per_epoch": data.steps_per_epoch(splits.train, batch_size),
            "validation_data": data.make_dataset(validation, batch_size),
        }

    def activation_sources(self, config, splits, num_replicas=1):
        batch_size = global_batch_size(config, num_replicas)
        return tuple(transfer.ImageSource(part, batch_size) for part in (splits.train, splits.validation))

    def predict(self, model, examples, batch_size):
        return model.predict(data.make_dataset(examples, batch_size), verbose=0)

    def evaluate(self, config, predictions, examples, folder, score_threshold=None):
        error = float(np.abs(predictions - examples.labels).mean())
        return {"mean_absolute_error": error, "examples": len(examples)}, []

    def report_extras(self, config, splits, predictions, metrics, baselines=()):
        return ReportExtras(metrics={"largest_error": float(np.abs(predictions - splits.test.labels).max())})

    def card_facts(self, config, model):
        return {"summary": "A network that predicts the brightness of an image."}

    def predict_new(self, config, model, examples):
        return model.predict(np.asarray(examples), verbose=0)

    def find_items(self, config, arguments, options):
        return find_image_files(arguments)

    def predict_items(self, run, items, options):
        for file, numbers, problem in predict_files(items, run.predict, image_size=32, resize="stretch", batch_size=8):
            yield file, None if problem else float(numbers[0]), problem

    def open_writer(self, run, stream, options):
        return self.writers[options.format](stream)


def write_numbered_images(folder):
    for level in (0.1, 0.5, 0.9):
        (folder / str(level)).mkdir()
        noise = np.random.default_rng(0).normal(0, 10, (8, 32, 32, 3))
        for number, pixels in enumerate(np.clip(255 * level + noise, 0, 255).astype("uint8")):
            Image.fromarray(pixels).save(folder / str(level) / f"{number}.png")
    phases = "[{train: head, epochs: 2, learning_rate: 0.01}, {train: top, learning_rate: 0.01}]"
    return task_cases.flags_of({"data.path": folder, "data.image_size": 32, "data.batch_size": 8, "phases": phases})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    case = task_cases.TaskCase(
        NAME,
        write_numbered_images,
        None,
        None,
        lambda folder: [folder / "0.1" / "0.png", folder / "0.9" / "0.png"],
        task_cases.PIXELS,
        np.asarray,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, NAME, ImageRegression())
        yield task_cases.TinyRun(case, tmp_path_factory.mktemp(NAME))


class TestContract(task_cases.TaskChecks):
    """Checks the task of one's own."""


def test_its_metrics_stand_in_the_report(tiny):
    report = (tiny.folder / "report.html").read_text()
    assert "Mean absolute error" in report and "Largest error" in report


def test_its_model_card_says_what_it_is(tiny):
    card = (tiny.folder / "model_card.md").read_text()
    assert "A network that predicts the brightness of an image." in card and "Outputs: brightness." in card
    assert "classifier" not in card and "argmax" not in card
