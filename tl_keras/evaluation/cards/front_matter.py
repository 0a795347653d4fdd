"""Front matter of a model card: the metadata that the Hugging Face Hub reads, as YAML."""

import re

import yaml

from tl_keras.evaluation.formatting import format_interval, metric_label, scalar_metrics

PIPELINES = ("image-classification", "text-classification", "object-detection")
"""Kinds of models that the Hub knows, of those that are trained here."""
TYPES = {"macro_f1": "f1", "micro_f1": "f1"}
"""Metrics whose name on the Hub is another one."""
NOT_RESULTS = ("score_threshold", "cut_texts_share", "cut_tokens_share", "unknown_tokens_share")
"""Numbers among the metrics that describe the data or a setting."""


def front_matter(title, kind, data_name, metrics):
    """Formats metadata with the test results, each with its interval in its name.

    A licence is left out: that of the data is not known here.

    Args:
        title: str, the heading of the card.
        kind: kind of the task, such as "image-classification".
        data_name: name of the data.
        metrics: dict of metrics on the test split, and perhaps of their `intervals`.

    Returns:
        str, with the lines around it.
    """
    known = {"pipeline_tag": kind} if kind in PIPELINES else {}
    results = _results(metrics)
    tags = ["keras", "tensorflow", "transfer-learning", "tl_keras"]
    metadata = {"library_name": "keras", "tags": tags, **known}
    if results and known:
        dataset = {"name": data_name, "type": _identifier(data_name), "split": "test"}
        result = {"task": {"type": kind}, "dataset": dataset, "metrics": results}
        metadata["model-index"] = [{"name": _identifier(title), "results": [result]}]
    return f"---\n{yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False, width=1000)}---\n"


def _results(metrics):
    intervals, results = metrics.get("intervals", {}), []
    for name, value in scalar_metrics(metrics).items():
        if isinstance(value, float) and name not in NOT_RESULTS:
            interval = format_interval(name, intervals.get(name))
            label = f"{metric_label(name)} (95 % interval {interval})" if interval else metric_label(name)
            results.append({"type": TYPES.get(name, name), "value": round(value, 4), "name": label})
    return results


def _identifier(name):
    """Converts a name to letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "data"
