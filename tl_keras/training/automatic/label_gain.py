"""States in the results of a run what more labels would bring, or why that is not predicted."""

from dataclasses import asdict

from tl_keras import probing
from tl_keras.errors import counted
from tl_keras.training.automatic.solved_head import solve_rows
from tl_keras.training.automatic.tuning import SOLVED

GAIN, REASON = "label_gain", "label_gain_reason"
"""Keys of the metrics of a run: the prediction, or why it is missing."""
MIN_MISTAKES = 3
"""Mistakes from which at most one in twenty resamples of the examples has none, which would make the range empty."""


def measure_label_gain(config, tuning):
    """Predicts what more labels would bring to a solved head.

    Args:
        config: `RunConfig`.
        tuning: `Tuning` of recipe auto.

    Returns:
        Dict with a `probing.LabelGain` as a dict, or with the reason why it is missing.
    """
    if reason := _reason_against(config, tuning):
        return {REASON: reason}
    gain = _predict(config, tuning.solved)
    mistakes = gain.mistakes if gain else 0
    if mistakes < MIN_MISTAKES:
        verb = "is" if mistakes < 2 else "are"
        wrong = f"{mistakes or 'none'} of the examples that the label curve holds out {verb} mistaken"
        return {REASON: f"{wrong}, and it takes {MIN_MISTAKES}"}
    return {GAIN: asdict(gain)}


def _reason_against(config, tuning):
    if config.data.multi_label:
        return "the label curve is for one label an example"
    if tuning.kept != SOLVED:
        return "the network was tuned, and the label curve is that of solved heads"
    examples = tuning.solved.examples
    return probing.reason_against_gain(examples.labels, len(tuning.solved.reader.class_names), examples.folds)


def _predict(config, solved):
    examples, reader = solved.examples, solved.reader
    columns = reader.feature_set(solved.head_input).columns

    def predict(rows, held_out):
        head = solve_rows(config, reader, examples, rows, solved.head_input, solved.held_out.inverse_penalty)
        return head.logits(examples.features[held_out][:, columns]).argmax(axis=1)

    return probing.predict_label_gain(examples.labels, len(reader.class_names), examples.folds, predict, config.seed)


def describe_label_gain(metrics):
    """Formats what `measure_label_gain` returned, a list of at most one sentence.

    Args:
        metrics: dict of the metrics of a run, which may lack it.

    Raises:
        ValueError: a number is out of range.
    """
    if REASON in metrics:
        return [f"What more labels would bring is not predicted: {metrics[REASON]}"]
    # Runs of earlier versions have it among the metrics of what was held out.
    record = metrics.get(GAIN) or metrics.get("held_out", {}).get(GAIN)
    if not record:
        return []
    # The record may come from a stranger.
    if not (0 <= record["low"] <= record["high"] <= 1 and record["labels"] in probing.LABEL_NUMBERS):
        raise ValueError("The prediction of what more labels bring is out of range.")
    low, high = (f"{100 * record[name]:+.1f}" for name in ("low", "high"))
    gain = f"about {low} to {high} points of accuracy"
    if low == high == "+0.0":
        gain = "nothing measurable, less than 0.1 points of accuracy"
    return [f"{counted(record['labels'], 'more label')} like these would bring {gain} (90 % range of a label curve)"]
