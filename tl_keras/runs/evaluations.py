"""Tests of a finished run, on its own splits or on other data, and their comparison with baselines."""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np

from tl_keras import evaluation
from tl_keras.data.records import split_of_name
from tl_keras.errors import InputError
from tl_keras.runs.evaluation_report import measure_min_confidence, write_evaluation_report
from tl_keras.runs.opening import make_folder
from tl_keras.runs.own_data import load_own_split
from tl_keras.runs.result_folders import claim_folder, record_results, run_origin
from tl_keras.runs.run_folder import RunFolder, folder_name
from tl_keras.runs.seen_examples import find_seen_examples
from tl_keras.tasks.base import print_notes

COMPARISON = ("baseline", "baselines", "verdict")
"""Keys of the metrics of a run that compare it with baselines; "baseline" is that of version 0.1.0."""


def evaluate_run(run, data_path=None, output=None, split=None):
    """Measures the model of a run and draws its mistakes.

    Args:
        run: `TrainedRun`.
        data_path: labelled data in any form that training accepts; None tests on the run's own splits.
        output: folder to write the results to; None takes one in the run folder, in `evaluations`.
        split: "train", "validation" or "test"; "all" of other data. None takes the test split, or if other data have
            none, all of them.

    Returns:
        `RunFolder` of the results: `metrics.json`, `report.html` and the plots.

    Raises:
        InputError: the data cannot be used, or have a class that the model does not know; or the folder contains links
            or results of another run or other data, or cannot be written to.
    """
    split = split and (split_of_name(split) or split)
    source = [folder_name(data_path), _digest(data_path)] if data_path else ["test"] * (split is None)
    name = "-".join([*source, *([split] if split else [])])
    folder = RunFolder(output or run.folder / "evaluations" / name)
    RunFolder(output or run.folder).refuse_links()
    examples = (
        load_own_split(run, split or "test") if data_path is None else run.task.load_test_data(run, data_path, split)
    )
    names = ("metrics.json", "report.html", "detections.json", *run.task.result_files)
    if output:
        source = None if data_path is None else os.path.abspath(data_path)
        claim_folder(output, run_origin(run, [source, split]), names, "results")
    else:
        make_folder(folder.path, "results")
    # The baselines of the training were measured on its own test split.
    is_own = data_path is None and split in (None, "test")
    comparison = {name: value for name, value in run.metrics.items() if name in COMPARISON} if is_own else {}
    # A damaged record is refused before anything is computed.
    comparison_lines(comparison, run.task)
    threshold, _ = run.score_threshold, run.min_confidence
    predictions = run.predict_set(examples)
    metrics, plots = run.task.evaluate(run.config, predictions, examples, folder.path, threshold)
    run.task.write_predictions({split or "test": examples}, predictions, folder.path, threshold)
    metrics |= comparison | measure_min_confidence(run, examples, predictions)
    if data_path is not None:
        metrics |= _without_seen_examples(run, examples, predictions, threshold)
    folder.write_json("metrics.json", metrics)
    tested = folder_name(data_path) if data_path else f"its {split or 'test'} split"
    title = f"{run.folder.name} on {tested}"
    write_evaluation_report(folder / "report.html", title, run, metrics, plots, examples, predictions)
    if output:
        record_results(folder.path, names)
    return folder


def _without_seen_examples(run, examples, predictions, threshold):
    """Counts the examples that the run was trained or validated on, and measures the others alone."""
    is_seen = find_seen_examples(RunFolder(run.folder), examples)
    if is_seen is None:
        print_notes(["the digests of its training examples are of another version, so none can be found in these data"])
        return {}
    if not is_seen.any():
        return {}
    counts, rows = {"examples": int(is_seen.sum())}, np.flatnonzero(~is_seen)
    if not len(rows):
        return {"seen_examples": counts}
    others = predictions[rows] if isinstance(predictions, np.ndarray) else [predictions[row] for row in rows]
    with tempfile.TemporaryDirectory(prefix="tl_keras-") as folder:
        metrics, _ = run.task.evaluate(run.config, others, examples.take(rows), Path(folder), threshold)
    names = (*run.task.headline_metrics, "intervals", "examples", "per_class")
    return {"seen_examples": counts | {"without_them": {name: metrics[name] for name in names if name in metrics}}}


def comparison_lines(metrics, task):
    """Formats how the network compares with the baselines that its run recorded.

    Args:
        metrics: dict of the metrics of a run, or of its `baselines` and `verdict` alone.
        task: `Task` of the run.

    Returns:
        List of lines.

    Raises:
        InputError: the record, which may come from a stranger, is damaged.
    """
    baselines, verdict = metrics.get("baselines", []), metrics.get("verdict", [])
    try:
        if "baseline" in metrics:
            # Runs of version 0.1.0 have one baseline, with its verdict inside.
            baselines, verdict = [metrics["baseline"]], [metrics["baseline"]["verdict"]]
        tested = {"examples": metrics.get("examples", 0)}
        figures = [
            f"{one['name']}: {evaluation.format_headlines(tested | one, task.headline_metrics)}" for one in baselines
        ]
        return [*figures, *verdict]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            "The baselines in metrics.json of the run are damaged: copy the run again, or evaluate it with --data."
        ) from error


def _digest(path):
    """Distinguishes data of the same name, such as two files test.csv."""
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:6]
