"""The baseline that a trained network is compared with: logistic regression on its last layer before any training."""

from tl_keras import evaluation
from tl_keras.config.derived import derive, without_augmentation
from tl_keras.errors import InputError
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import sample_examples

MEASURED_EXAMPLES = 4
MAX_TIME_SHARE = 0.25
"""Largest share of the time that is left for the features of a baseline."""


def last_layer_baseline(config, splits, solved):
    """Measures logistic regression on the features of the last block, without any choice of blocks.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.
        solved: `SolvedHead`, whose features are used.

    Returns:
        `evaluation.Baseline`.
    """
    examples = solved.examples
    return _measure(config, splits, solved.reader, examples.features, examples.labels)


def untrained_baseline(config, splits, model, limit):
    """Measures logistic regression on the features of the last block of a network that is still to be trained.

    Args:
        config: `RunConfig` of a task that classifies.
        splits: what the task's `load_data` returned.
        model: `keras.Model` before its training.
        limit: `TimeLimit` of the run.

    Returns:
        `evaluation.Baseline`; None, with a line that says why, where time is short or the head reads no vector.
    """
    train = sample_examples(splits.train, config.seed)
    try:
        reader = FeatureReader(_reading_config(config), splits, model)
        seconds = _estimate(config, splits, reader, len(train) + len(splits.test)) if limit.seconds is not None else 0
        if seconds and seconds > MAX_TIME_SHARE * limit.left:
            print(
                f"note: {evaluation.LAST_LAYER} is not measured beside the network: it would take about "
                f"{seconds:.0f} of the {limit.left:.0f} s of max_time that are left",
                flush=True,
            )
            return None
        labels = TASKS[config.task].example_labels(train)
        baseline = _measure(config, splits, reader, reader.read(train), labels)
    except InputError as error:
        print(f"note: {evaluation.LAST_LAYER} is not measured beside the network: {error}", flush=True)
        return None
    print(f"{baseline.name}: {evaluation.format_headlines(baseline.metrics, TASKS[config.task].headline_metrics)}")
    return baseline


def _reading_config(config):
    """Returns a configuration that reads each example as it is, by the head that the model has."""
    head = {"head_blocks": config.model.head_blocks or "last", "pooling": config.model.pooling or "average"}
    return derive(without_augmentation(config), model=derive(config.model, **head))


def _estimate(config, splits, reader, count):
    source, _ = TASKS[config.task].activation_sources(config, splits)
    return count * reader.measure_seconds(source.sample(MEASURED_EXAMPLES))


def _measure(config, splits, reader, features, labels):
    columns = reader.last_block_columns
    return evaluation.feature_baseline(
        features[:, columns],
        labels,
        reader.read(splits.test)[:, columns],
        TASKS[config.task].example_labels(splits.test),
        splits.class_names,
        config.data.multi_label,
    )
