"""Decisions of a classifier that calls examples unsure below a confidence."""

from tl_keras.errors import InputError, quoted

UNSURE = "unsure"
"""Label of an example whose most probable class is not probable enough."""
AUTO = "auto"


def parse_confidence(text):
    """Reads a minimum confidence.

    Args:
        text: number from 0 to 1, also as str, or "auto".

    Returns:
        float, or "auto".

    Raises:
        InputError: the text is something else.
    """
    if text == AUTO:
        return text
    try:
        value = None if isinstance(text, bool) else float(text)
    except (TypeError, ValueError):
        value = None
    if value is None or not 0 <= value <= 1:
        raise InputError(f"--min_confidence {quoted(text)}: expected a number from 0 to 1, such as 0.8, or {AUTO}.")
    return value


def check_unsure(class_names, multi_label):
    """Refuses runs whose examples cannot be called unsure.

    Args:
        class_names: names of the classes.
        multi_label: whether an example may belong to several classes.

    Raises:
        InputError: there are several labels an example, or a class has the name of the decision.
    """
    if multi_label:
        raise InputError("--min_confidence is for runs with one class an example: leave it out, and see --top.")
    if UNSURE in class_names:
        raise InputError(
            f"--min_confidence calls examples {UNSURE!r}, and the run has a class of that name: leave it out, and "
            "compare the probabilities yourself."
        )


def decide(labels, min_confidence):
    """Decides for the most probable class of an example, or calls it unsure.

    Args:
        labels: list of (class name, probability), the most probable first.
        min_confidence: float, 0 to 1.

    Returns:
        str.
    """
    name, probability = labels[0]
    return name if probability >= min_confidence else UNSURE
