"""Tiny runs, one for each task, and the checks that every task must pass."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

import tl_keras as tl
from tests.models import tiny_encoders
from tests.models.detection.tiny_detectors import rectangles
from tl_keras import callbacks, data, evaluate, predict, train
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.tasks.base import parts_of


@dataclass(frozen=True)
class TaskCase:
    """Holds a tiny run of a task."""

    task: str
    write_data: Callable
    """Function of a folder that writes data there and returns the flags of a run on them."""
    network: str | None
    """Place of the function that builds the backbone, which `stand_in` replaces."""
    stand_in: Callable | None
    items: Callable
    """Function of the folder of the data that returns arguments of `predict`, two items."""
    examples: Any
    """Two examples in memory."""
    flat: Callable
    """Function of predictions in memory that returns one array."""

    @contextlib.contextmanager
    def patched(self):
        """Puts the tiny network in place of the large ones."""
        with pytest.MonkeyPatch.context() as patch:
            if self.network:
                patch.setattr(self.network, self.stand_in)
            yield


def flags_of(values):
    """Spells a dict out as arguments of a command line."""
    return [str(part) for flag, value in values.items() for part in (f"--{flag}", value)]


def write_images(folder):
    generator = np.random.default_rng(0)
    for name, colour in {"blue": (40, 60, 220), "red": (220, 40, 40)}.items():
        (folder / name).mkdir()
        for number in range(10):
            pixels = np.clip(np.array(colour) + generator.normal(0, 25, (40, 48, 3)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    phases = "[{train: head, epochs: 2, learning_rate: 0.01}, {train: top, learning_rate: 0.001}]"
    return flags_of({"data.path": folder, "data.image_size": 32, "data.batch_size": 8, "phases": phases})


def save_encoder(folder):
    """Saves a random BERT of two layers without dropout, which is off in frozen blocks where activations are cached."""
    keras.utils.set_random_seed(0)
    tiny_encoders.save_preset(folder, "bert")
    settings = json.loads((folder / "config.json").read_text())
    settings["config"]["dropout"] = 0.0
    (folder / "config.json").write_text(json.dumps(settings))


def write_texts(folder):
    words = {"good": "positive", "fun": "positive", "bad": "negative", "dull": "negative"}
    rows = [f"a {word} film{'!' * marks},{label}" for word, label in words.items() for marks in range(5)]
    (folder / "films.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    save_encoder(folder / "encoder")
    return flags_of(
        {
            "data.path": folder / "films.csv",
            "data.batch_size": 8,
            "model.backbone": folder / "encoder",
            "text.max_tokens": 12,
            "phases": "[{train: head, epochs: 2}, {train: all, learning_rate: 0.003}]",
        }
    )


def write_boxes(folder):
    images, targets = rectangles(12)
    real = targets["labels"] >= 0
    sources = []
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
        sources.append((folder / f"{number}.png").read_bytes())
    records = data.BoxRecords(
        sources=sources,
        names=[str(row) for row in range(len(images))],
        boxes=[boxes[kept] for boxes, kept in zip(targets["boxes"], real, strict=True)],
        labels=[labels[kept] for labels, kept in zip(targets["labels"], real, strict=True)],
        sizes=np.full((len(images), 2), images.shape[1], np.int32),
        splits=["train"] * 6 + ["validation"] * 3 + ["test"] * 3,
        class_names=("red", "blue"),
    )
    data.write_coco(records, folder / "coco")
    return flags_of(
        {
            "data.path": folder / "coco",
            "data.batch_size": 3,
            "detection.channels": 8,
            "detection.feature_pyramid": "false",
            "detection.anchor_sizes": "[12, 24]",
            "detection.head_units": "[16]",
            "detection.num_proposals": 8,
            "model.weights": "none",
            "phases": "[{train: proposals, epochs: 2, learning_rate: 0.003}, {train: block4, learning_rate: 0.003}]",
        }
    )


PIXELS = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype("uint8")


class TinyRun:
    """A finished run of a case, and its parts.

    Args:
        case: `TaskCase`.
        root: folder for data and runs.
    """

    def __init__(self, case, root):
        self.case = case
        self.root = root
        self.data = root / "data"
        self.data.mkdir()
        settings = {"task": case.task, "data.augmentation": "none", "cache.mode": "off"}
        self.flags = [*flags_of(settings), *case.write_data(self.data)]
        self.folder, self.opened = self.train("run"), None

    def train(self, name, *more):
        """Trains with further flags and returns the run folder; only the first run, `run`, has a report."""
        with self.case.patched(), pytest.MonkeyPatch.context() as patch:
            if name != "run":
                patch.setattr("tl_keras.training.results._write_report", lambda *_: None)
            return tl.run_training(parse([*self.flags, *more, "--run", str(self.root / name)]))

    def open(self):
        """Opens the finished run, whose model is loaded once."""
        self.opened = self.opened or tl.load_run(self.folder)
        return self.opened


class TaskChecks:
    """Checks that every task passes, as scikit-learn checks its estimators.

    `TestContract` of a task's test file inherits them and runs on its fixture `tiny`, a `TinyRun`.
    """

    def test_results(self, tiny):
        """Checks that a run reports metrics and leaves its files."""
        metrics = json.loads((tiny.folder / "metrics.json").read_text())
        assert metrics["examples"] > 0
        task = tiny.open().task
        assert any(name in metrics for name in task.headline_metrics)
        for name in ("model.keras", "history.json", "report.html", "model_card.md", "history.png", *task.result_files):
            assert (tiny.folder / name).stat().st_size > 0, name
        for name in tiny.open().class_names:
            assert name in (tiny.folder / "model_card.md").read_text()
        epochs = sum(phase.epochs for phase in tiny.open().config.phases)
        assert len(json.loads((tiny.folder / "history.json").read_text())["loss"]) == epochs

    def test_plain_keras(self, tiny):
        """Checks that plain Keras opens the model, with the weights that the run predicts by."""
        plain, ours = keras.models.load_model(tiny.folder / "model.keras"), tiny.open().model
        for one, other in zip(plain.weights, ours.weights, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_evaluation(self, tiny):
        """Checks that testing the saved model again gives the metrics of the training."""
        again = evaluate.evaluate_run(tiny.open()).read_json("metrics.json")
        before = json.loads((tiny.folder / "metrics.json").read_text())
        numbers = {name: value for name, value in again.items() if isinstance(value, int | float)}
        assert numbers == pytest.approx({name: before[name] for name in numbers}, abs=1e-4)

    def test_predictions(self, tiny, capsys):
        """Checks that predictions in memory are repeatable, and that `predict` writes each item in each format."""
        run = tiny.open()
        one, other = (tiny.case.flat(run.predict(tiny.case.examples)) for _ in range(2))
        np.testing.assert_array_equal(one, other)
        items = [str(item) for item in tiny.case.items(tiny.data)]
        for number, name in enumerate(run.task.writers):
            capsys.readouterr()
            with pytest.MonkeyPatch.context() as patch:
                if number:
                    # The first has opened the run.
                    patch.setattr(predict, "load_run", lambda folder: run)
                predict.main([str(tiny.folder), *items, "--format", name])
            printed = capsys.readouterr().out
            assert printed.strip(), name
            if name == "jsonl":
                assert len(printed.splitlines()) == len(items)

    def test_resuming(self, tiny):
        """Checks that a run interrupted after its first epoch ends as the uninterrupted one."""
        save = callbacks.SaveCheckpoints.on_epoch_end

        def save_and_stop(self, epoch, logs=None):
            save(self, epoch, logs)
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(callbacks.SaveCheckpoints, "on_epoch_end", save_and_stop)
            tiny.train("resumed")
        resumed = tiny.train("resumed")
        for name in ("metrics.json", "history.json"):
            assert (resumed / name).read_text() == (tiny.folder / name).read_text()

    def test_caching(self, tiny):
        """Checks that cached activations give the weights that the examples give."""
        cached = tl.load_run(tiny.train("cached", "--cache.mode", "on")).model
        for one, other in zip(cached.weights, tiny.open().model.weights, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)

    def test_fingerprint(self, tiny):
        """Checks that a fingerprint is repeatable, ready for JSON, and differs where the split does."""
        task = tiny.open().task
        config, other = (parse([*tiny.flags, *more]) for more in ([], ["--seed", "1"]))
        first, again, shuffled = (task.fingerprint(task.load_data(one)) for one in (config, config, other))
        assert first == again == json.loads(json.dumps(first))
        assert (first == shuffled) == (tiny.case.task == "object_detection")

    def test_phases(self, tiny, capsys):
        """Checks that the phases can be printed, and that the data are described in one line."""
        with tiny.case.patched():
            train.main([*tiny.flags, "--print_phases"])
        printed = capsys.readouterr().out
        task = tiny.open().task
        config = tiny.open().config
        splits = task.load_data(config)
        line = task.describe(config, splits)
        assert line in printed and "\n" not in line
        assert str(task.count(parts_of(splits)["training"])) in line
        assert "phases:\n- {train: " in printed

    def test_refusals(self, tiny):
        """Checks that settings of other tasks are refused by name."""
        with pytest.raises(InputError, match="data.augmentation"):
            parse([*tiny.flags, "--data.augmentation", "cubism"])
        with pytest.raises(InputError, match="model.backbone"):
            parse([*tiny.flags, "--model.backbone", "vgg17"])
        with pytest.raises(InputError, match="has no effect"):
            parse([*tiny.flags, *unused_flag(tiny.open().task)])
        with pytest.raises(InputError, match="No weights at 'nothing'"):
            tiny.train("refused", "--model.weights", "nothing")
        with pytest.raises(InputError):
            tiny.train("refused", "--data.path", str(tiny.root / "nothing"))


def unused_flag(task):
    """Returns a flag that a task has no use for."""
    values = {"text": ("max_tokens", 64), "detection": ("max_detections", 7), "data": ("image_size", 64)}
    part = next(part for part, names in task.unused_settings.items() if names is None)
    return flags_of({f"{part}.{values[part][0]}": values[part][1]})
