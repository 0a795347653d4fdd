import json
import weakref

import numpy as np
import pytest

from tests.eager_functions import eager_functions
from tests.models.detection.tiny_detectors import tiny_backbone
from tests.tasks.task_cases import write_boxes
from tl_keras import compare
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.models.detection import building
from tl_keras.studies.comparison import detectors
from tl_keras.studies.comparison.detectors import DetectorTrainers
from tl_keras.studies.comparison.grid import Cell
from tl_keras.studies.comparison.progress import OutOfTime
from tl_keras.studies.comparison.results import RESAMPLES
from tl_keras.system.time_limit import NO_LIMIT, TimeLimit
from tl_keras.tasks.registry import TASKS

TRAINING = ("--model.weights", "--phases")


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """The flags of a comparison of tiny detectors, on 6 training and 3 test images."""
    own = write_boxes(tmp_path_factory.mktemp("boxes"))
    pairs = [pair for pair in zip(own[::2], own[1::2], strict=True) if pair[0] not in TRAINING]
    return [
        "--task",
        "object_detection",
        "--cache.mode",
        "off",
        "--epochs",
        "2",
        *(part for pair in pairs for part in pair),
    ]


@pytest.fixture(autouse=True)
def built(monkeypatch):
    """The weights that backbones are asked for, of which a tiny one takes the place."""
    weights = []

    def build_backbone(*_, **settings):
        weights.append(settings["weights"])
        return tiny_backbone()

    monkeypatch.setattr(building, "build_backbone", build_backbone)
    return weights


def test_detectors_are_compared_over_images_and_resumed(flags, built, tmp_path, capsys):
    arguments = [*flags, "--draws", "1", "--output", str(tmp_path)]
    with eager_functions():
        compare.main([*arguments, "--budgets", "4"])
    printed = capsys.readouterr().out
    assert "[2/2] scratch, 4 images, draw 0: AP at IoU 0.5 0." in printed and "all cells are finished" in printed
    assert "The 3 validation examples were not used." in printed
    assert "cannot be decided with 3 test images" in printed and "labels" not in printed
    figures = json.loads((tmp_path / "compare.json").read_text())
    first, second = figures["cells"]
    assert (first["method"], first["images"], first["steps"]) == ("progressive_unfreezing", 4, 4)
    assert (second["method"], second["steps"]) == ("scratch", 4), "as many steps"
    assert 0 <= first["mean_average_precision"] <= first["average_precision_50"] <= 1
    assert first["gain"] is None, "3 test images cannot tell"
    assert figures["test_images"] == 3 and "accuracy" not in json.dumps(figures)
    assert built == ["imagenet", None], "scratch has no pretrained weights"
    cell = json.loads((tmp_path / "cells" / "scratch-4-0.json").read_text())
    assert len(cell["resampled_precisions"]) == RESAMPLES
    assert "block1" in (tmp_path / "log.txt").read_text(), "the lines of training are kept apart"
    compare.main([*arguments, "--budgets", "4"])
    assert "2 of 2 cells are finished already" in capsys.readouterr().out and len(built) == 2


def test_methods_plan_the_epochs_of_the_recipe_and_another_draw_has_other_images(flags, monkeypatch):
    config = parse(flags)
    splits = TASKS[config.task].load_data(config)
    planned, networks = {}, []

    def fit_phases(config, model, splits, phases, run, seconds_left):
        assert all(network() is None for network in networks), "earlier detectors are freed"
        networks.append(weakref.ref(model))
        planned.setdefault(config.recipe, []).append((phases, tuple(splits.train.names), config.batch_norm))
        return {"loss": [1.0] * 2}

    monkeypatch.setattr(detectors.fitting, "fit_phases", fit_phases)
    trainers = DetectorTrainers(config, splits, NO_LIMIT)
    results = [trainers.train(Cell("fine_tuning", "4", draw)) for draw in range(2)]
    (first, names, policy), (_, others, _) = planned["fine_tuning"]
    assert len(first) == 1 and set(names) != set(others) and policy == "inference"
    assert [result.labels for result in results] == [4, 4]
    trainers.train(Cell("scratch", "4", 0))
    (scratch,), own, policy = planned["fine_tuning"][2]
    assert own == names and policy == "train", "the same images"
    assert (scratch.train, scratch.epochs, scratch.learning_rate, scratch.block_decay) == ("block1", 2, 1e-3, 1.0)


def test_a_training_that_the_time_has_ended_gives_no_figure(flags, monkeypatch):
    def fit_phases(config, model, splits, phases, run, seconds_left):
        assert seconds_left == 0
        return {"loss": [1.0]}

    monkeypatch.setattr(detectors.fitting, "fit_phases", fit_phases)
    config = parse(flags)
    trainers = DetectorTrainers(config, TASKS[config.task].load_data(config), TimeLimit(0))
    with pytest.raises(OutOfTime):
        trainers.train(Cell("progressive_unfreezing", "4", 0))


def test_wrong_settings_for_boxes_are_one_sentence(flags, tmp_path):
    for more, message in {
        ("--budgets", "12"): "needs more images: there are 12; give less than 12, or all",
        ("--budgets", "6"): "needs more images: there are 6 for training",
        ("--model.weights", "none"): "leave --model.weights none out",
    }.items():
        with pytest.raises(InputError, match=message):
            compare.main([*flags, *more, "--output", str(tmp_path / "out")])


def test_the_bootstrap_of_a_cell_surrounds_its_figure(flags):
    config = parse(flags)
    test = TASKS[config.task].load_data(config).test

    class Perfect:
        """Stands in for a task whose detector finds every box."""

        def predict(self, model, part, batch_size):
            found = zip(part.boxes, part.labels, strict=True)
            return [{"boxes": boxes, "labels": labels, "scores": np.ones(len(labels))} for boxes, labels in found]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, config.task, Perfect())
        figures = detectors._measure(config, None, test)
    assert figures["average_precision_50"] == pytest.approx(1) and set(figures["resampled_precisions"]) == {1.0}
