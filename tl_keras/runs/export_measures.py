"""Size, latency and accuracy of exports, measured on the test examples of their run."""

import json
import tempfile
from pathlib import Path

import numpy as np

from tl_keras import models
from tl_keras.evaluation.formatting import metric_label
from tl_keras.exporting.checked_export import predict_by_keras
from tl_keras.exporting.latency import measure_latencies
from tl_keras.system.atomic_files import write_text
from tl_keras.system.spreading import spread_rows

MAX_EXAMPLES = 1000
"""Test examples that accuracy is measured on."""
BATCHES = (1, 32)
"""Batch sizes whose latency is measured."""
BASELINE = "model.predict"
ALLOWED_LOSS = 0.005
"""Loss of the metric up to which a faster export counts as better."""
RESULTS = "export.json"


def measure_exports(run, source, opened, part, folder, threads):
    """Measures exports and writes the results to `export.json`.

    Args:
        run: `TrainedRun`.
        source: `Source` of the exports.
        opened: dict from each `Export` to its `OpenedExport`.
        part: test examples of the run, or None if they cannot be read: there is no metric then.
        folder: `Path` of the folder of the exports.
        threads: number of threads, for the record.

    Returns:
        Dict of `threads`, `metric` (its key, or None), and `exports`: a list of dict with `name`, `file`, `bytes`,
        `difference`, `milliseconds` by batch size, `value` of the metric, and for quantized ones `verdict`. The first
        one is Keras's `model.predict`.
    """
    predictors = {BASELINE: lambda inputs: predict_by_keras(source.model, inputs)}
    predictors |= {export.label: one.predict for export, one in opened.items()}
    latencies = {size: _latencies(predictors, source.inputs, size) for size in BATCHES}
    metric, values = _metric(run, predictors, part)
    rows = {name: {"name": name} for name in predictors}
    for export, one in opened.items():
        rows[export.label] |= {"file": export.path, "bytes": one.size, "difference": one.difference}
    for name, row in rows.items():
        row |= {"milliseconds": {str(size): latencies[size][name] for size in BATCHES}, "value": values.get(name)}
    for export in opened:
        if export.quantization:
            rows[export.label]["verdict"] = verdict(rows[export.label], rows[export.format], metric)
    results = {"threads": threads, "metric": metric, "exports": list(rows.values())}
    write_text(folder / RESULTS, json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    return results


def verdict(row, plain, metric):
    """States whether a quantized export is better: slower at no batch size, and as accurate.

    Args:
        row: result of the quantized export, as in `measure_exports`.
        plain: result of the export of the same format in 32 bits.
        metric: key of the metric.

    Returns:
        A sentence.
    """
    gains = {size: plain["milliseconds"][size] / row["milliseconds"][size] for size in row["milliseconds"]}
    loss = plain["value"] - row["value"]
    facts = [f"{plain['bytes'] / row['bytes']:.1f} × smaller"]
    facts += [f"{_ratio(gain)} at batch {size}" for size, gain in gains.items()]
    facts.append(f"{metric_label(metric)} {-100 * loss:+.1f} points")
    slow = [size for size, gain in gains.items() if gain < 1]
    reasons = [f"slower at batch {' and '.join(slow)}"] * bool(slow)
    reasons += [f"more than {100 * ALLOWED_LOSS:g} points lost"] * (loss > ALLOWED_LOSS)
    judgement = f"not better than {plain['name']}: {', '.join(reasons)}" if reasons else f"better than {plain['name']}"
    return f"{row['name']} is {judgement} ({', '.join(facts)})"


def result_lines(results):
    """Formats the results of an export as a table and the verdicts.

    Args:
        results: what `measure_exports` returned.

    Returns:
        List of lines.
    """
    metric = results["metric"]
    head = [
        "export",
        "MB",
        "difference",
        *(f"ms, batch {size}" for size in BATCHES),
        metric_label(metric) if metric else "",
    ]
    rows = [head, *(_cells(row) for row in results["exports"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [*lines, *(row["verdict"] for row in results["exports"] if "verdict" in row)]


def _cells(row):
    size = f"{row['bytes'] / 1e6:.1f}" if "bytes" in row else ""
    difference = f"{row['difference']:.1g}" if "difference" in row else ""
    value = "" if row["value"] is None else f"{row['value']:.4f}"
    return [row["name"], size, difference, *(f"{value:.1f}" for value in row["milliseconds"].values()), value]


def _ratio(gain):
    return f"{gain:.1f} × faster" if gain >= 1 else f"{1 / gain:.1f} × slower"


def _latencies(predictors, inputs, size):
    """Measures batches of one size; examples repeat where there are fewer."""
    batch = {name: [values[row % len(values)] for row in range(size)] for name, values in inputs.items()}
    batch = {name: rows if isinstance(rows[0], str) else np.stack(rows) for name, rows in batch.items()}
    return measure_latencies({name: lambda run=run: run(batch) for name, run in predictors.items()})


def _metric(run, predictors, part):
    """Returns the name of the first headline metric and its value for each predictor."""
    if part is None:
        return None, {}
    part = part.take(spread_rows(part, MAX_EXAMPLES))
    inputs, values, name = run.task.raw_inputs(run.config, part), {}, None
    for label, predict in predictors.items():
        predictions = _predict_all(predict, inputs, len(part), max(BATCHES), run.config.data.multi_label)
        with tempfile.TemporaryDirectory(prefix="tl_keras-") as plots:
            metrics, _ = run.task.evaluate(run.config, predictions, part, Path(plots), run.score_threshold)
        name = next(metric for metric in run.task.headline_metrics if metric in metrics)
        values[label] = metrics[name]
    return name, values


def _predict_all(predict, inputs, count, size, multi_label):
    """Predicts in batches, and returns what `Task.evaluate` takes."""
    batches = [
        predict({name: values[start : start + size] for name, values in inputs.items()})
        for start in range(0, count, size)
    ]
    if "probabilities" in batches[0]:
        probabilities = np.concatenate([batch["probabilities"] for batch in batches])
        # Those of 8 bits have steps of 1/256, and do not quite sum to 1.
        return probabilities if multi_label else probabilities / probabilities.sum(axis=1, keepdims=True)
    return [one for batch in batches for one in models.split_detections(batch)]
