"""Measures accuracy over the number of labels: `python benchmarks/label_curve.py --folder runs/curve`.

Trains each recipe, and the last one also from random weights, on 8, 16, 32 and 64 labelled examples per class, and
tests all of them on the same held-out examples. A seed determines the split, the labelled examples and their order.
Text tasks also show logistic regression on TF-IDF features. Flags that are not listed below are passed to
`python -m tl_keras.train`:

    python benchmarks/label_curve.py --recipe few_shot --seeds 3 --config sentiment --text.max_tokens 64

Finished runs in the folder are read instead of repeated, and interrupted runs resume.
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
    """Trains one run, or reads it if finished, and returns its test metrics."""
    started = time.monotonic()
    with open(folder.with_suffix(".log"), "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        path = tl.run_training(parse([*flags, "--run", str(folder)]))
    print(f"{folder.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return RunFolder(path).read_json("metrics.json")


def measure(size, seed, ways, flags, folder):
    """Trains every way on one seed and returns a dict from the name of the way to its test metrics."""
    budget = [] if size == "all" else ["--data.examples_per_class", size]
    common = [*flags, *budget, "--seed", str(seed)]
    results = {
        way: train([*common, *way_flags], folder / f"{size}-{seed}-{way.replace(' ', '_').replace(',', '')}")
        for way, way_flags in ways.items()
    }
    metrics = next(iter(results.values()))
    baselines = {one["name"]: one for one in metrics["baselines"]}
    return results | ({BASELINE: baselines[BASELINE]} if BASELINE in baselines else {})


def print_rows(size, results):
    """Prints a row for each way, with mean and standard deviation over the seeds."""
    for way, metrics in results[0].items():
        cells = [size, way]
        for figure in FIGURES:
            values = [result[way][figure] for result in results] if figure in metrics else []
            cells.append(f"{statistics.mean(values):.3f} ± {statistics.pstdev(values):.3f}" if values else "")
        print(f"| {' | '.join(cells)} |", flush=True)


def run_curve(options, flags, folder):
    """Trains all runs and prints the table, row by row."""
    ways = {recipe: ["--recipe", recipe] for recipe in options.recipe or RECIPES}
    if not options.no_random:
        last = list(ways)[-1]
        ways[f"{RANDOM}, {last}"] = [*ways[last], "--model.weights", "none"]
    print(f"| labels per class | training | {' | '.join(FIGURES)} |\n|{'---|' * (2 + len(FIGURES))}")
    for size in options.sizes:
        print_rows(size, [measure(size, seed, ways, flags, folder) for seed in range(options.seeds)])


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="labels per class, or all (default: 8 16 32 64)")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds for each size (default: 3)")
    parser.add_argument("--recipe", action="append", help=f"may be repeated (default: {', '.join(RECIPES)})")
    parser.add_argument("--no_random", action="store_true", help="without random weights")
    parser.add_argument("--folder", help="folder for the runs (default: a temporary folder)")
    options, flags = parser.parse_known_args()
    flags = flags or ["--config", "sentiment"]
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        run_curve(options, flags, folder)


if __name__ == "__main__":
    main()
