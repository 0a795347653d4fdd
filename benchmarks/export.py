"""Compares exports of a run with `model.predict` of Keras at batch 1 and 32, in turns: A B A B.

    python benchmarks/export.py RUN

Prints the share of the processor time of `model.predict` that each format takes, plain and quantized, all on one
thread, as the median over the rounds, with the metric on the test data; and whether the fastest one reaches the goals:
at most 0.2 at batch 1 and 0.6 at batch 32, with at most half a point of the metric lost.
"""

import argparse
import functools
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

import tl_keras as tl
from tl_keras.errors import InputError

GOALS = {1: 0.2, 32: 0.6}
ALLOWED_LOSS = 0.005
QUANTIZATIONS = ("int8", "bfloat16")
CALLS = {1: 16, 32: 1}
"""Calls in one turn, by batch size."""


def export_all(run, folder):
    """Returns the results of each export by its name, `model.predict` first."""
    rows = {}
    for kind in QUANTIZATIONS:
        try:
            results = run.export("all", kind, folder)
        except InputError as error:
            print(f"note: {error}")
        else:
            rows |= {row["name"]: row for row in results["exports"] if row["name"] not in rows}
    return rows, results["metric"]


def open_all(run, rows, folder):
    """Returns a function from raw inputs to outputs for each export and for `model.predict`."""
    from tl_keras.exporting.checked_export import OPENERS, predict_by_keras
    from tl_keras.exporting.saved_model_folder import open_saved_model
    from tl_keras.exporting.tokenizer_file import TOKENIZER, open_tokenizer

    functions = {}
    for name, row in rows.items():
        format_name = name.split()[0]
        if "file" not in row:
            functions[name] = lambda inputs: predict_by_keras(run.model, inputs)
        elif format_name == "savedmodel":
            functions[name] = open_saved_model(folder / row["file"])
        elif format_name in OPENERS:
            functions[name] = OPENERS[format_name](folder / row["file"], 1)
    if run.task.takes_texts:
        encode = open_tokenizer(folder / TOKENIZER)
        for name in [one for one in functions if one.split()[0] in OPENERS]:
            functions[name] = functools.partial(
                lambda compute, inputs: compute(encode(inputs["text"])), functions[name]
            )
    return functions


def measure(functions, inputs, size, rounds):
    """Returns the median over rounds of the processor seconds of a turn, by name."""
    batch = {name: [values[row % len(values)] for row in range(size)] for name, values in inputs.items()}
    batch = {name: rows if isinstance(rows[0], str) else np.stack(rows) for name, rows in batch.items()}
    seconds = {name: [] for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            started = time.process_time()
            for _ in range(CALLS[size]):
                function(batch)
            if turn:
                seconds[name].append(time.process_time() - started)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def measure_run(run, rounds):
    """Returns the rows of the exports, the name of the metric, and the processor seconds by batch size and name."""
    # Before TensorFlow is loaded: the processor time is that of a call on one thread only.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    from tl_keras.runs.exports import raw_inputs
    from tl_keras.runs.own_data import load_own_splits

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, metric = export_all(run, folder)
        functions = open_all(run, rows, folder)
        inputs = raw_inputs(run, load_own_splits(run).test, max(GOALS))
        return rows, metric, {size: measure(functions, inputs, size, rounds) for size in GOALS}


def main():
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    run = tl.load_run(options.run)
    rows, metric, seconds = measure_run(run, options.rounds)
    baseline, *exports = seconds[1]
    shares = {name: {size: seconds[size][name] / seconds[size][baseline] for size in GOALS} for name in exports}
    kind = "texts" if run.task.takes_texts else "images"
    print(f"| input | share of model.predict | batch 1 | batch 32 | {metric} |", "|---|---|---|---|---|", sep="\n")
    for name, by_size in shares.items():
        print(f"| {kind} | {name} | {by_size[1]:.3f} | {by_size[32]:.3f} | {rows[name]['value']:.4f} |")
    accurate = [name for name in exports if rows[name]["value"] >= rows[baseline]["value"] - ALLOWED_LOSS]
    for size, goal in GOALS.items():
        best = min(accurate, key=lambda name: shares[name][size])
        verdict = "reached" if shares[best][size] <= goal else "missed"
        print(f"batch {size}: {best} {shares[best][size]:.3f}, goal {goal}: {verdict}")


if __name__ == "__main__":
    main()
