"""Calibrates a trained classifier on examples that it did not learn from, and recommends the confidence to ask for."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_keras import evaluation, models, probing
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.solved_head import HeldOutPredictions, sample_examples, whole_texts

RECORDED = ("value", "examples", "loss", "gain", "error", "min_examples", "min_errors")
"""Attributes of a `Temperature` that metrics.json keeps."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Holds what is known about the confidence of a classifier before it sees a test example."""

    held_out: HeldOutPredictions | None = None
    """Predictions of the calibrated model; None if it has learned from all labelled examples."""
    temperature: Any = None
    """`probing.Temperature` as fitted; None without held-out examples."""

    @property
    def applied(self):
        """The temperature inside the model, 1.0 for none."""
        return self.temperature.value if self.temperature and self.temperature.helps else 1.0


def calibrate(config, model, splits, tuning=None):
    """Fits a temperature to held-out examples, and puts it into the model if it helps, see `probing.Temperature.helps`.

    Args:
        config: `RunConfig`.
        model: trained classifier, whose logits are perhaps scaled, or a model of another kind.
        splits: what the task's `load_data` returned.
        tuning: `Tuning` of recipe auto; other recipes hold the validation examples out.

    Returns:
        `Calibration`; None for a task whose predictions are not probabilities of classes.
    """
    if not TASKS[config.task].gives_probabilities:
        return None
    held_out = tuning.held_out if tuning else _predict_validation(config, model, splits)
    if held_out is None or len(held_out.labels) < 2:
        return Calibration()
    temperature = probing.choose_temperature(held_out.probabilities, held_out.labels, config.seed)
    if temperature.helps:
        models.scale_logits(model, temperature.value)
        multi_label = config.data.multi_label
        scaled = probing.scale_probabilities(held_out.probabilities, temperature.value, multi_label)
        held_out = HeldOutPredictions(held_out.labels, scaled)
    return Calibration(held_out, temperature)


def measure_confidence(config, calibration, labels, probabilities):
    """Chooses the recommended confidence on held-out examples, or without any on the test examples, and tests it.

    Args:
        config: `RunConfig`.
        calibration: `Calibration`.
        labels: labels of the test examples.
        probabilities: float (n, num_classes), predictions of the calibrated model for them.

    Returns:
        dict for metrics.json: `temperature`, what is known of it, and for one class an example `min_confidence`,
        perhaps None, `chosen_on`, `chosen_from`, `chosen_wrong`, and on the test examples `kept`, `right` and
        `examples`.
    """
    record = {"temperature": calibration.applied}
    if found := calibration.temperature:
        record["fit"] = {name: getattr(found, name) for name in RECORDED}
    if config.data.multi_label:
        return record
    test = evaluation.confidence_of(labels, probabilities)
    source, chosen = "test", test
    if calibration.held_out is not None:
        source, chosen = (
            "held-out",
            evaluation.confidence_of(calibration.held_out.labels, calibration.held_out.probabilities),
        )
    min_confidence = evaluation.recommend_confidence(*chosen)
    record |= {"min_confidence": min_confidence, "chosen_on": source}
    record |= {"chosen_from": len(chosen[0]), "chosen_wrong": int((~chosen[0]).sum())}
    if min_confidence is None:
        return record
    return record | evaluation.measure_coverage(*test, min_confidence) | {"examples": len(labels)}


def _predict_validation(config, model, splits):
    """Predicts the validation examples, of many a sample; None without any."""
    task = TASKS[config.task]
    if not len(splits.validation):
        return None
    part = sample_examples(splits.validation, config.seed)
    labels = np.asarray(task.example_labels(part))
    return HeldOutPredictions(labels, task.predict(model, whole_texts(part), config.data.batch_size))
