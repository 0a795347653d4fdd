"""Formatting of numbers and metrics for the report, the model card and the terminal."""

PERCENTAGES = (
    "accuracy",
    "top_5_accuracy",
    "subset_accuracy",
    "cut_texts_share",
    "cut_tokens_share",
    "unknown_tokens_share",
)
LABELS = {
    "macro_f1": "Macro F1",
    "micro_f1": "Micro F1",
    "top_5_accuracy": "Top-5 accuracy",
    "cut_texts_share": "Texts cut",
    "cut_tokens_share": "Tokens cut",
    "unknown_tokens_share": "Tokens unknown to the tokenizer",
    "mean_average_precision": "mAP",
    "average_precision_50": "mAP 50",
    "average_precision_75": "mAP 75",
    "average_precision_small": "mAP, small objects",
    "average_precision_medium": "mAP, medium objects",
    "average_precision_large": "mAP, large objects",
    "f1": "F1",
    "expected_calibration_error": "Calibration error",
}
"""Labels of metrics whose key with spaces would not read well."""
MANY_TESTED = 1000
"""Number of test examples from which the limits of all intervals get a third decimal."""


def scalar_metrics(metrics):
    """Selects the single numbers from a dict of metrics.

    Args:
        metrics: dict, such as `classification_metrics` returns.

    Returns:
        dict of the entries that are numbers or None, in the same order, but with `examples` last.
    """
    scalars = {name: value for name, value in metrics.items() if value is None or isinstance(value, int | float)}
    examples = {"examples": scalars.pop("examples")} if "examples" in scalars else {}
    return scalars | examples


def metric_label(name):
    """Returns the label of a metric.

    Args:
        name: key of the metric, such as `macro_f1`.

    Returns:
        str, such as "Macro F1".
    """
    return LABELS.get(name, name.replace("_", " ").capitalize())


def format_metric(name, value):
    """Formats the value of a metric.

    Args:
        name: key of the metric, such as `accuracy`.
        value: int, float or None.

    Returns:
        str: accuracies and shares in per cent, other floats with three decimals, the rest as in `format_number`.
    """
    if isinstance(value, float):
        return f"{100 * value:.1f} %" if name in PERCENTAGES else f"{value:.3f}"
    return format_number(value)


def format_interval(name, interval):
    """Formats the interval of a metric.

    Args:
        name: key of the metric, such as `accuracy`.
        interval: [low, high], or None.

    Returns:
        str, such as "76.8 % to 89.7 %", empty for None.
    """
    return " to ".join(format_metric(name, limit) for limit in interval) if interval else ""


def format_headlines(metrics, names):
    """Formats metrics with their intervals in one line, for the terminal.

    Args:
        metrics: dict of metrics, and perhaps of their `intervals`.
        names: keys of the metrics to show, as far as they are there.

    Returns:
        str, such as "accuracy 0.843 (0.77 to 0.90)  macro_f1 0.783 (0.70 to 0.86)".
    """
    shown = [name for name in names if metrics.get(name) is not None]
    return "  ".join(f"{name} {format_figure(metrics, name)}" for name in shown)


def format_figure(metrics, name):
    """Formats a metric with its interval, for the terminal.

    Args:
        metrics: dict of metrics, and perhaps of their `intervals`.
        name: key of the metric.

    Returns:
        str, such as "0.843 (0.77 to 0.90)"; the limits get a third decimal from `MANY_TESTED` `examples` on.
    """
    figure, interval = f"{metrics[name]:.3f}", metrics.get("intervals", {}).get(name)
    if interval is None:
        return figure
    low, high = interval
    digits = 2 if metrics.get("examples", 0) < MANY_TESTED else 3
    return f"{figure} ({low:.{digits}f} to {high:.{digits}f})"


def format_number(value):
    """Formats a number that may be large, tiny, absent or already text.

    Args:
        value: int, float, str or None.

    Returns:
        str: integers with commas, floats with three significant digits, None as a dash, text unchanged.
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        # Three significant digits would give an exponent where the value rounds to 1,000 or more.
        return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
