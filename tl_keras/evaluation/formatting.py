"""How numbers and metrics are written where people read them: the report, the model card, the terminal."""

PERCENTAGES = ("accuracy", "top_5_accuracy", "subset_accuracy", "cut_texts_share", "cut_tokens_share")
LABELS = {
    "macro_f1": "Macro F1",
    "micro_f1": "Micro F1",
    "top_5_accuracy": "Top-5 accuracy",
    "cut_texts_share": "Texts cut",
    "cut_tokens_share": "Tokens cut",
    "mean_average_precision": "mAP",
    "average_precision_50": "mAP 50",
    "average_precision_75": "mAP 75",
    "average_precision_small": "mAP, small objects",
    "average_precision_medium": "mAP, medium objects",
    "average_precision_large": "mAP, large objects",
    "f1": "F1",
    "expected_calibration_error": "Calibration error",
}
"""What people call a metric where its key with blanks would not do."""


def scalar_metrics(metrics):
    """Picks the single numbers out of a dict of metrics.

    Args:
        metrics: dict, such as `classification_metrics` returns.

    Returns:
        dict of the entries that are numbers or None, in their order, the number of examples last.
    """
    scalars = {name: value for name, value in metrics.items() if value is None or isinstance(value, int | float)}
    examples = {"examples": scalars.pop("examples")} if "examples" in scalars else {}
    return scalars | examples


def metric_label(name):
    """Names a metric for people.

    Args:
        name: its key, such as `macro_f1`.

    Returns:
        str, such as "Macro F1".
    """
    return LABELS.get(name, name.replace("_", " ").capitalize())


def format_metric(name, value):
    """Writes a metric for people.

    Args:
        name: its key, such as `accuracy`.
        value: int, float or None.

    Returns:
        str: accuracies and shares in per cent, other fractions with three decimals, the rest as `format_number` has it.
    """
    if isinstance(value, float):
        return f"{100 * value:.1f} %" if name in PERCENTAGES else f"{value:.3f}"
    return format_number(value)


def format_number(value):
    """Writes a number that may be large, tiny, absent or already text.

    Args:
        value: int, float, str or None.

    Returns:
        str: whole numbers with commas, floats with three significant digits, None as a dash, text as it is.
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        # From a thousand on, and what rounds to it, three significant digits would turn into an exponent.
        return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
