"""What few labels are worth: `python benchmarks/label_curve.py --folder runs/curve`.

Trains each recipe, and the last one from random weights, on 8, 16, 32 and 64 labelled examples of each class, and
tests all of them on the same held-out part; a seed draws the split, the labels that are kept and the order. Beside them
stands TF-IDF with logistic regression, where the task has it. Flags that are not listed below go to
`python -m tl_keras.train`:

    python benchmarks/label_curve.py --recipe few_shot --seeds 3 --config sentiment --text.max_tokens 64

A run that is finished in the folder is read and not repeated, one that was interrupted goes on.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import tl_keras as tl
from tl_keras.config.parsing import parse
from tl_keras.runs.run_folder import RunFolder

RECIPES = ("feature_extraction", "few_shot", "linear_probe_then_fine_tune")
SIZES = ("8", "16", "32", "64")
FIGURES = ("accuracy", "macro_f1")
BASELINE, RANDOM = "TF-IDF + logistic regression", "random weights"


def train(flags, folder):
    """Trains one run, or reads it where it is finished, and returns the figures of its test."""
    started = time.monotonic()
    with open(folder.with_suffix(".log"), "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        path = tl.run_training(parse([*flags, "--run", str(folder)]))
    print(f"{folder.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return RunFolder(path).read_json("metrics.json")


def measure(size, seed, ways, flags, folder):
    """Trains every way on one draw of labels and returns a dict from its name to the figures of its test."""
    budget = [] if size == "all" else ["--data.examples_per_class", size]
    drawn = [*flags, *budget, "--seed", str(seed)]
    found = {
        way: train([*drawn, *way_flags], folder / f"{size}-{seed}-{way.replace(' ', '_').replace(',', '')}")
        for way, way_flags in ways.items()
    }
    metrics = next(iter(found.values()))
    return found | ({BASELINE: metrics["baseline"]} if "baseline" in metrics else {})


def print_rows(size, draws):
    """Prints a row for each way: the mean and the standard deviation over the draws."""
    for way, metrics in draws[0].items():
        cells = [size, way]
        for figure in FIGURES:
            values = [draw[way][figure] for draw in draws] if figure in metrics else []
            cells.append(f"{statistics.mean(values):.3f} ± {statistics.pstdev(values):.3f}" if values else "")
        print(f"| {' | '.join(cells)} |", flush=True)


def run_curve(options, flags, folder):
    """Trains all runs and prints the table, line by line."""
    ways = {recipe: ["--recipe", recipe] for recipe in options.recipe or RECIPES}
    if not options.no_random:
        last = list(ways)[-1]
        ways[f"{RANDOM}, {last}"] = [*ways[last], "--model.weights", "none"]
    print(f"| labels of each class | trained by | {' | '.join(FIGURES)} |\n|{'---|' * (2 + len(FIGURES))}")
    for size in options.sizes:
        print_rows(size, [measure(size, seed, ways, flags, folder) for seed in range(options.seeds)])


def main():
    """Reads the flags, and keeps the runs where a folder is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="labels of each class, or all (default: 8 16 32 64)")
    parser.add_argument("--seeds", type=int, default=3, help="draws of each size (default: 3)")
    parser.add_argument("--recipe", action="append", help=f"may be repeated (default: {', '.join(RECIPES)})")
    parser.add_argument("--no_random", action="store_true", help="leave random weights out")
    parser.add_argument("--folder", help="keeps the runs; default: a temporary folder")
    options, flags = parser.parse_known_args()
    flags = flags or ["--config", "sentiment"]
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        run_curve(options, flags, folder)


if __name__ == "__main__":
    main()
