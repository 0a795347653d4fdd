"""Tables of test results, for the report and the model card."""

from tl_keras.errors import counted
from tl_keras.evaluation.formatting import format_interval, format_metric, format_number, metric_label, scalar_metrics
from tl_keras.evaluation.intervals import wilson_interval

NETWORK = "this network"
FEW_TESTED = 20
"""Number of test examples below which their figures say little."""
SHARES = ("accuracy", "subset_accuracy", "average_precision_50")
"""Headline metrics whose uncertainty is shown for few examples."""
NAMED = 20
"""Maximum number of untested classes to name."""


def result_rows(metrics):
    """Formats the single numbers of metrics.

    Args:
        metrics: dict of metrics, and perhaps of their `intervals`.

    Returns:
        list of (label, value, interval), str; an empty interval for a metric without one.
    """
    intervals = metrics.get("intervals", {})
    return [
        (metric_label(name), format_metric(name, value), format_interval(name, intervals.get(name)))
        for name, value in scalar_metrics(metrics).items()
    ]


def compare_rows(metrics, baselines):
    """Formats the metrics of a network and of its baselines.

    Args:
        metrics: dict of metrics of the network, and perhaps of their `intervals`.
        baselines: sequence of dicts with the `name`, metrics, perhaps their `intervals`, and the CPU `seconds`.

    Returns:
        list of rows of str: the heading, the network, and each baseline; empty without baselines.
    """
    if not baselines:
        return []
    names = [name for name in scalar_metrics(baselines[0]) if name in metrics]
    rows = [{"name": NETWORK, **metrics}, *baselines]
    return [
        ["Model", *map(metric_label, names), "CPU seconds"],
        *([row["name"], *(_cell(row, name) for name in names), _seconds(row)] for row in rows),
    ]


def notes_on_test(metrics):
    """Lists what limits the figures of a test: classes without an example, and few examples.

    Args:
        metrics: as in `note_untested`.

    Returns:
        List of sentences.
    """
    return [note for note in (note_untested(metrics), note_few_tested(metrics)) if note]


def note_few_tested(metrics):
    """States how uncertain the figures of few test examples are.

    Args:
        metrics: as in `note_untested`.

    Returns:
        A sentence, empty from `FEW_TESTED` examples on.
    """
    count = metrics.get("examples", FEW_TESTED)
    name = next((name for name in SHARES if metrics.get(name) is not None), None)
    if not 0 < count < FEW_TESTED:
        return ""
    examples = counted(count, "test example says", "test examples say")
    if name is None:
        return f"Only {examples} hardly anything about the network: test it on more."
    # A bootstrap over a few images has seen too little of their variance.
    low, high = metrics.get("intervals", {}).get(name) or wilson_interval(metrics[name], count)
    return (
        f"Only {examples} little about the network: the 95 % interval of {metric_label(name)} {metrics[name]:.2f} is "
        f"about {low:.2f} to {high:.2f}; test it on more."
    )


def note_untested(metrics):
    """Names the classes without a tested example, which no figure describes.

    Args:
        metrics: dict, such as `classification_metrics` or `detection_metrics` returns.

    Returns:
        A sentence, empty where each class was tested.
    """
    per_class = metrics.get("per_class", {})
    untested = [name for name, scores in per_class.items() if not scores["support"]]
    if not untested:
        return ""
    more = f"; and {len(untested) - NAMED} more" if len(untested) > NAMED else ""
    tested = f"{len(per_class) - len(untested):,} of {counted(len(per_class), 'class')}"
    return f"The figures are for {tested}: there is no tested example of {'; '.join(untested[:NAMED])}{more}."


def _cell(row, name):
    interval = format_interval(name, row.get("intervals", {}).get(name))
    return format_metric(name, row.get(name)) + (f" ({interval})" if interval else "")


def _seconds(row):
    return f"{row['seconds']:.1f}" if "seconds" in row else format_number(None)
