"""Figures of the events of a log and of the metrics of a run, by the names that trackers show."""

NO_FIGURES = ("event", "time", "epoch")


def epoch_figures(values, prefix=""):
    """Selects the figures of an epoch.

    Args:
        values: dict of an event.
        prefix: start of their names.

    Returns:
        Dict from name to float.
    """
    return {f"{prefix}{name}": float(value) for name, value in values.items() if _is_figure(name, value)}


def phase_figures(record):
    """Selects the peak learning rate of each block, and the number of trainable parameters.

    Args:
        record: dict of the event of a phase.

    Returns:
        Dict from name to float.
    """
    rates = {f"learning_rate/{block}": float(rate) for block, rate in record["learning_rates"].items()}
    return rates | {"trainable_parameters": float(record["trainable_parameters"])}


def result_figures(metrics):
    """Selects the numbers among the metrics of a run, with their intervals and those of the baselines.

    Args:
        metrics: dict of `metrics.json`.

    Returns:
        Dict from a name such as "test/accuracy" or "test/accuracy_low" to float.
    """
    figures = epoch_figures(metrics, "test/")
    for name, (low, high) in metrics.get("intervals", {}).items():
        figures |= {f"test/{name}_low": float(low), f"test/{name}_high": float(high)}
    for baseline in metrics.get("baselines", ()):
        figures |= epoch_figures(baseline, f"baseline/{baseline['name']}/")
    return figures


def _is_figure(name, value):
    return isinstance(value, int | float) and not isinstance(value, bool) and name not in NO_FIGURES
