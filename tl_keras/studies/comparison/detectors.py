"""Cells of detectors: each is trained on its images as `train` would, and shares nothing with the others."""

import gc
import math
from dataclasses import replace

import numpy as np

from tl_keras import evaluation
from tl_keras.config.derived import derive
from tl_keras.phases import total_epochs
from tl_keras.runs.opening import scratch_run
from tl_keras.studies.comparison.grid import FINE_TUNING, SCRATCH, UNFREEZING, draw_images
from tl_keras.studies.comparison.meter import Meter
from tl_keras.studies.comparison.progress import OutOfTime
from tl_keras.studies.comparison.results import BoxResult, resample_examples
from tl_keras.tasks.object_detection import in_original_pixels
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting
from tl_keras.training.building import build_model, choose_phases

RANDOM_RATE = 1e-3
"""Peak learning rate of all blocks from random weights."""


class DetectorTrainers:
    """Trains the cells of detectors by their methods.

    Args:
        config: `RunConfig` with recipe "progressive_unfreezing".
        splits: what the task's `load_data` returned.
        limit: `TimeLimit`.
    """

    suspicious = ()
    """No sentences on labels that are probably wrong, which nothing here looks for."""

    def __init__(self, config, splits, limit):
        self._config, self._splits, self._limit = config, splits, limit
        self._has_boxes = np.array([len(boxes) > 0 for boxes in splits.train.boxes])

    def train(self, cell):
        """Trains a cell and returns its `BoxResult`; raises `OutOfTime`."""
        # Detectors refer to themselves, and those of earlier cells would pile up until Python looks for them.
        gc.collect()
        rows = draw_images(self._has_boxes, cell.budget, cell.draw, self._config.seed)
        config = derive(self._config, seed=self._config.seed + cell.draw, max_time=None)
        part = self._splits.train.take(rows)
        # Decides nothing here, but training computes a validation loss.
        example = part.take([next(row for row, boxes in enumerate(part.boxes) if len(boxes))])
        splits = replace(self._splits, train=part, validation=example)
        meter = Meter()
        config, model, phases = _plan(config, splits, cell.method)
        epochs = total_epochs(phases)
        with scratch_run() as run:
            history = fitting.fit_phases(config, model, splits, phases, run, self._limit.left)
        if len(history["loss"]) < epochs:
            raise OutOfTime
        steps = epochs * math.ceil(len(part) / config.data.batch_size)
        costs = {"steps": steps, "multiply_adds": None, **meter.costs()}
        return BoxResult(labels=len(rows), **_measure(config, model, self._splits.test), **costs)


def _plan(config, splits, method):
    """Builds the model of a method, and chooses its phases; returns them after its configuration."""
    recipe = FINE_TUNING if method == FINE_TUNING else UNFREEZING
    config = derive(config, recipe=recipe, restore_best=False)
    if method != SCRATCH:
        model = build_model(config, splits)
        return config, model, choose_phases(config, model, len(splits.train))
    policy = "train" if TASKS[config.task].has_batch_norm else "inference"
    config = derive(config, model=derive(config.model, weights="none", weights_sha256=None), batch_norm=policy)
    model = build_model(config, splits)
    epochs = total_epochs(choose_phases(config, model, len(splits.train)))
    settings = {"unfreeze_from": "all", "epochs": epochs, "learning_rate": RANDOM_RATE, "block_decay": 1.0}
    config = derive(config, recipe=FINE_TUNING, **settings)
    return config, model, choose_phases(config, model, len(splits.train))


def _measure(config, model, test):
    """Measures the detections in the test images; returns the fields of `BoxResult` that hold figures."""
    predictions = TASKS[config.task].predict(model, test, config.data.batch_size)
    boxes, detections = in_original_pixels(test, predictions)
    metrics = evaluation.detection_metrics(boxes, test.labels, detections, test.class_names)
    counts = resample_examples(np.random.default_rng(0), len(test))
    resampled = evaluation.resample_average_precision(boxes, test.labels, detections, len(test.class_names), counts)
    return {
        "test_images": len(test),
        **{name: metrics[name] for name in ("average_precision_50", "mean_average_precision")},
        "resampled_precisions": resampled.round(6).tolist(),
    }
