"""Tests a finished run again, on its own test split or on other data: `python -m tl_keras.evaluate RUN`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np

from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.data.records import split_of_name
from tl_keras.errors import InputError
from tl_keras.runs.opening import make_folder
from tl_keras.runs.own_data import load_own_split
from tl_keras.runs.run_folder import RunFolder, folder_name
from tl_keras.runs.seen_examples import find_seen_examples
from tl_keras.runs.trained_run import load_run
from tl_keras.training.results import comparison_lines, format_results

READING_FLAGS = (
    "data.path_column",
    "data.label_column",
    "data.label_separator",
    "data.split_column",
    "data.on_bad_file",
    "data.max_bad_files",
    "text.text_column",
    "text.second_text_column",
    "detection.box_columns",
    "detection.box_format",
    "detection.on_bad_box",
)
"""Settings of a run that other data may need to be read by."""
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
        `RunFolder` of the results: `metrics.json` and the plots.

    Raises:
        InputError: the data cannot be used, or have a class that the model does not know; or the folder contains links
            or cannot be written to.
    """
    split = split and (split_of_name(split) or split)
    source = [folder_name(data_path), _digest(data_path)] if data_path else ["test"] * (split is None)
    name = "-".join([*source, *([split] if split else [])])
    folder = RunFolder(output or run.folder / "evaluations" / name)
    RunFolder(output or run.folder).refuse_links()
    examples = (
        load_own_split(run, split or "test") if data_path is None else run.task.load_test_data(run, data_path, split)
    )
    make_folder(folder.path, "results")
    # The baselines of the training were measured on its own test split.
    is_own = data_path is None and split in (None, "test")
    comparison = {name: value for name, value in run.metrics.items() if name in COMPARISON} if is_own else {}
    # Refuses a damaged record before anything is computed.
    comparison_lines(comparison, run.task)
    threshold = run.score_threshold
    predictions = run.predict_set(examples)
    metrics, _ = run.task.evaluate(run.config, predictions, examples, folder.path, threshold)
    run.task.write_predictions({split or "test": examples}, predictions, folder.path)
    metrics |= comparison
    if data_path is not None:
        metrics |= _without_seen_examples(run, examples, predictions, threshold)
    folder.write_json("metrics.json", metrics)
    return folder


def _without_seen_examples(run, examples, predictions, threshold):
    """Counts the examples that the run was trained or validated on, and measures the others alone."""
    is_seen = find_seen_examples(RunFolder(run.folder), examples)
    if is_seen is None or not is_seen.any():
        return {}
    counts, rows = {"examples": int(is_seen.sum())}, np.flatnonzero(~is_seen)
    if not len(rows):
        return {"seen_examples": counts}
    others = predictions[rows] if isinstance(predictions, np.ndarray) else [predictions[row] for row in rows]
    with tempfile.TemporaryDirectory(prefix="tl_keras-") as plots:
        metrics, _ = run.task.evaluate(run.config, others, examples.take(rows), Path(plots), threshold)
    names = (*run.task.headline_metrics, "intervals", "examples")
    return {"seen_examples": counts | {"without_them": {name: metrics[name] for name in names if name in metrics}}}


def _digest(path):
    """Distinguishes data of the same name, such as two files test.csv."""
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:6]


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(prog="python -m tl_keras.evaluate", description="Tests a finished run again.")
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "--data",
        metavar="PATH",
        type=os.path.expanduser,
        help="labelled data to test on; the run's own test split by default",
    )
    parser.add_argument("--split", metavar="NAME", help="train, validation, test or all; the test split by default")
    parser.add_argument("--output", metavar="FOLDER", help="write the results there instead of into the run folder")
    reading = parser.add_argument_group("how other data are read", "As in training; by default as the run was trained.")
    for name in READING_FLAGS:
        reading.add_argument(f"--{name}", metavar="VALUE")
    options = parser.parse_args(arguments)
    flags = [f"--{name}={value}" for name in READING_FLAGS if (value := getattr(options, name)) is not None]
    if flags and options.data is None:
        raise InputError(f"{flags[0].partition('=')[0]} is for other data: give them with --data, or leave it out.")
    run = load_run(options.run, flags)
    results = evaluate_run(run, options.data, options.output, options.split)
    tested = options.split or (folder_name(options.data) if options.data else "test")
    print(format_results(results, run.task, tested))


if __name__ == "__main__":
    run_verb(main)
