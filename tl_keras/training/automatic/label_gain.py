"""States in the results of a run what more labels would bring."""

from tl_keras import probing
from tl_keras.training.automatic.solved_head import solve_rows


def measure_label_gain(config, solved):
    """Predicts what more labels would bring to a solved head.

    Args:
        config: `RunConfig`.
        solved: `SolvedHead`.

    Returns:
        `probing.LabelGain`, or None with several labels an example, nothing held out, or too few labels.
    """
    if solved.held_out is None or config.data.multi_label:
        return None
    examples, reader = solved.examples, solved.reader
    columns = reader.feature_set(solved.head_input).columns

    def predict(rows, held_out):
        head = solve_rows(config, reader, examples, rows, solved.head_input, solved.held_out.inverse_penalty)
        return head.logits(examples.features[held_out][:, columns]).argmax(axis=1)

    return probing.predict_label_gain(examples.labels, len(reader.class_names), examples.folds, predict, config.seed)


def describe_label_gain(record):
    """Formats a `probing.LabelGain` that was stored as a dict, a list of at most one sentence.

    Raises:
        ValueError: a number is out of range.
    """
    if not record:
        return []
    # The record may come from a stranger.
    if not (0 <= record["low"] <= record["high"] <= 1 and record["labels"] in probing.LABEL_NUMBERS):
        raise ValueError("The prediction of what more labels bring is out of range.")
    low, high = (f"{100 * record[name]:+.1f}" for name in ("low", "high"))
    return [
        f"{record['labels']} more labels like these would bring about {low} to {high} points of accuracy (90 % "
        "range of a label curve)"
    ]
