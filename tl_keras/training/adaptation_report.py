"""The results of an adaptation: metrics of the target, a map of both domains, and a summary."""

import math
from dataclasses import dataclass, replace

from tl_keras import adaptation, evaluation
from tl_keras.config.adaptation_config import STATISTICS_ONLY
from tl_keras.errors import counted
from tl_keras.tasks.registry import TASKS

MAX_MAPPED = 500
"""Examples of each domain in the map of features."""
SOURCE_ONLY = "source-only"
"""Name of the candidate that is the model as trained on the source."""


@dataclass(frozen=True)
class Adapted:
    """Holds what came of an adaptation."""

    record: dict
    """Ready for JSON: `method`, `validator`, `kept` (name of the kept candidate), `candidates` (name, score, the scores
    of all validators, and why it was refused or None) and, where the target has labels, `target`: the metrics of
    `source_only`, `adapted` and perhaps `upper_bound`."""
    plots: tuple = ()
    """(caption, path of a plot)."""
    confidence: tuple | None = None
    """Which of the target's test predictions are correct, and their probabilities; None without labels."""

    def with_upper_bound(self, metrics):
        """Returns a copy that holds the metrics of a model trained on the target's labels."""
        return replace(self, record=self.record | {"target": self.record["target"] | {"upper_bound": metrics}})


def measure_domains(config, model, splits, target):
    """Measures the target where it has labels, and computes features of both domains.

    Args:
        config: `RunConfig`.
        model: classifier.
        splits: those of the source.
        target: `Target`.

    Returns:
        Dict of `features` and `labels` by domain and, where the target has labels, `metrics` and `confidence`.
    """
    task, batch_size = TASKS[config.task], config.data.batch_size
    joint = adaptation.with_features(model)
    width, test = model.output_shape[-1], target.splits.test
    tested = len(test) > 0
    parts = {"source": splits.test, "target": test if tested else target.splits.train}
    outputs = {domain: task.predict(joint, _whole(part), batch_size) for domain, part in parts.items()}
    report = {"features": {domain: _mapped(values[:, :-width]) for domain, values in outputs.items()}}
    report["labels"] = {"source": _mapped(splits.test.labels)}
    if tested:
        probabilities = outputs["target"][:, -width:]
        if _whole(test) is not test:
            # A text in windows is classified by all of them together.
            probabilities = task.predict(model, test, batch_size)
        report["metrics"] = evaluation.metrics_with_intervals(test.labels, probabilities, test.class_names)
        report["confidence"] = evaluation.confidence_of(test.labels, probabilities)
        report["labels"]["target"] = _mapped(test.labels)
    return report


def _mapped(rows):
    """Takes at most `MAX_MAPPED` rows, evenly spaced, since examples are often sorted by class."""
    return rows[:: -(-len(rows) // MAX_MAPPED)]


def _whole(part):
    """Removes the windows of texts: the features of one window would not be those of its text."""
    return replace(part, windows=None) if getattr(part, "windows", None) is not None else part


def compare_domains(record, reports, class_names, run):
    """Draws the features before and after adaptation, and adds the metrics to the record.

    Args:
        record: dict as in `Adapted`, without `target`.
        reports: dict of `source_only` and `adapted`, each as `measure_domains` returns it.
        class_names: names of the classes.
        run: `RunFolder`; the plot is written to its `domains.png`.

    Returns:
        `Adapted`.
    """
    path = run / "domains.png"
    moments, caption = {"before": reports["source_only"], "after": reports["adapted"]}, "before and after adaptation"
    if record["kept"] == SOURCE_ONLY:
        moments, caption = {"not adapted": reports["source_only"]}, "without adaptation, which was not kept"
    evaluation.plot_domains(moments, class_names, path)
    metrics = {name: report["metrics"] for name, report in reports.items() if "metrics" in report}
    plots = ((f"Features of both domains, {caption}", path),)
    confidence = reports["adapted"].get("confidence")
    return Adapted(record | {"target": metrics} if metrics else record, plots, confidence)


def target_first(adapted, metrics, extras, plots, names):
    """Orders what report and model card show: the figures of the target before those of the source.

    Args:
        adapted: `Adapted`.
        metrics: dict of metrics on the test examples of the source.
        extras: `ReportExtras` of the source.
        plots: list of (caption, path) of the source.
        names: keys of the metrics that stand for the source in one line.

    Returns:
        Tuple of the metrics of the target, or those of the source where the target has no labels, the `ReportExtras`
        with the sentences on the adaptation, and the plots of both domains.
    """
    target = adapted.record.get("target", {})
    figures = target.get("adapted") or target.get("source_only")
    plots = [*adapted.plots, *((f"{caption} (source)", path) for caption, path in plots)]
    verdict = tuple(f"On the source: {sentence}" for sentence in extras.verdict)
    source = f"source test: {evaluation.format_headlines(metrics, names)}  ({counted(metrics['examples'], 'example')})"
    sentences = (*summarize(adapted.record), *([source] if figures else []), *verdict)
    if not figures:
        return metrics | {"confidence": {"domain": "source"}}, replace(extras, verdict=sentences), plots
    # Baselines and mistakes are those of the source.
    figures = figures | {"confidence": {"domain": "target"}}
    return figures, replace(extras, verdict=sentences, baselines=(), mistakes=()), plots


def summarize(record):
    """Summarizes an adaptation in a few sentences.

    Args:
        record: the `record` of an `Adapted`.

    Returns:
        List of str.
    """
    target = record.get("target", {})
    shown = {name: evaluation.format_figure(metrics, "accuracy") for name, metrics in target.items()}
    if "kept" not in record:
        return [f"target accuracy, {name.replace('_', ' ')}: {figure}" for name, figure in shown.items()]
    lines = [f"adaptation: {record['kept']} was kept, chosen by {record['validator']} without any target label"]
    if record["kept"] == SOURCE_ONLY:
        lines[0] = f"adaptation: {record['validator']} found nothing better than the source-only model, which was kept"
        lines += _refusal(record)
    elif record["kept"] in STATISTICS_ONLY:
        lines.append("the model has the statistics of the target now: for the source, train without adaptation")
    if not target:
        return lines
    before, after = target["source_only"]["accuracy"], target["adapted"]["accuracy"]
    line = f"target accuracy: source-only {shown['source_only']}, adapted {shown['adapted']}"
    if "upper_bound" in target:
        gap = target["upper_bound"]["accuracy"] - before
        line += f", trained on its labels {shown['upper_bound']}"
        if gap > 0:
            line += f" ({(after - before) / gap:.0%} of the gap closed)"
    lines.append(line)
    if after < before and not math.isclose(after, before):
        lines.append("negative transfer: on the target's labels the adapted model is worse than the source-only one")
    return lines + _changed_classes(record["target"])


def _refusal(record):
    """Returns a sentence on the best of the adapted models that were refused although the validator prefers them."""
    refused = [one for one in record["candidates"] if one.get("refused")]
    best = max(refused, key=lambda one: one["score"], default=None)
    if best is None or best["score"] <= record["candidates"][0]["score"]:
        return []
    return [f"adaptation: {best['name']} was better by {record['validator']}, but refused because {best['refused']}"]


def _changed_classes(metrics):
    before, after = (metrics[name]["per_class"] for name in ("source_only", "adapted"))
    tested = [name for name, scores in before.items() if scores["f1"] is not None]
    changes = sorted((after[name]["f1"] - before[name]["f1"], name) for name in tested)
    lines = [(name, change) for change, name in (changes[0], changes[-1]) if change]
    return [f"F1 of class {name}: {change:+.3f}" for name, change in lines]
