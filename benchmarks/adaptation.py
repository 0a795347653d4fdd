"""What adaptation brings without a target label: `python benchmarks/adaptation.py --folder runs/adaptation`.

Each method adapts the model that a source has trained to a target, on several seeds, which draw the splits, the labels
that are kept, and the order; the table shows the accuracy on held-out target examples before and after, that of the
same network trained on the target's labels, and the share of the gap between the two that adaptation closes: mean and
standard deviation. "kept" counts the seeds where the validator preferred an adapted model to the source-only one.

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
from tl_keras.command_line import parse
from tl_keras.runs import RunFolder

DIGIT_PHASES = "[{train: head, epochs: 5, learning_rate: 1e-3}, {train: block4, epochs: 4, learning_rate: 1e-3}]"
PAIRS = {
    "MNIST → UCI digits": {
        "--data.path": "mnist",
        "--adaptation.target": "uci_digits",
        "--data.examples_per_class": "60",
        "--data.image_size": "32",
        "--data.augmentation": "none",
        "--phases": DIGIT_PHASES,
    },
    "emoji, Google → Twitter": {
        "--data.path": "emoji",
        "--adaptation.target": "emoji_twitter",
        "--data.augmentation": "none",
    },
    "product → film reviews": {"--config": "sentiment", "--adaptation.target": "movie_reviews"},
}
TEXTS = "product → film reviews"
STATISTICS = ("adabn", "tent")
METHODS = ("deep_coral", "mmd", "dann", "mcc", "self_training", *STATISTICS)


def train(flags, folder):
    """Trains one run, or reads it where it is finished, and returns what adaptation brought."""
    started = time.monotonic()
    with open(folder.with_suffix(".log"), "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        path = tl.run_training(parse([*flags, "--run", str(folder)]))
    print(f"{folder.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return RunFolder(path).read_json("metrics.json")["adaptation"]


def measure(pair, method, bounds, folder):
    """Adapts by a method, once for each seed.

    Args:
        pair: key of `PAIRS`.
        method: name of the method.
        bounds: list with an upper bound for each seed; where it is None, this run trains it and puts it there.
        folder: `pathlib.Path` for the runs.

    Returns:
        For each seed the accuracies of source-only, adapted and upper bound, and whether adaptation was kept.
    """
    found = []
    for seed, bound in enumerate(bounds):
        name = f"{list(PAIRS).index(pair)}-{method}-{seed}"
        own = {
            "--adaptation.method": method,
            "--seed": str(seed),
            "--adaptation.upper_bound": str(bound is None).lower(),
        }
        record = train([part for flag in (PAIRS[pair] | own).items() for part in flag], folder / name)
        if bound is None:
            bounds[seed] = record["target"]["upper_bound"]["accuracy"]
        accuracies = [record["target"][way]["accuracy"] for way in ("source_only", "adapted")]
        found.append((*accuracies, bounds[seed], record["kept"] != "source-only"))
    return found


def row(pair, method, found):
    """Formats a line of the table."""
    before, after, bound, kept = zip(*found, strict=True)
    closed = [(b - a) / (c - a) for a, b, c, _ in found]
    cells = [f"{statistics.mean(values):.3f} ± {statistics.pstdev(values):.3f}" for values in (before, after, bound)]
    return f"| {pair} | {method} | {' | '.join(cells)} | {statistics.mean(closed):.0%} | {sum(kept)} of {len(kept)} |"


def main():
    """Reads the flags, and keeps the runs where a folder is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", action="append", choices=PAIRS, help="may be repeated (default: all)")
    parser.add_argument("--method", action="append", choices=METHODS, help="may be repeated (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="draws (default: 3)")
    parser.add_argument("--folder", help="keeps the runs; default: a temporary folder")
    options = parser.parse_args()
    print("| domains | method | source-only | adapted | trained on the target's labels | gap closed | kept |")
    print("|---|---|---|---|---|---|---|")
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for pair in options.pair or PAIRS:
            bounds = [None] * options.seeds
            for method in options.method or METHODS:
                if not (pair == TEXTS and method in STATISTICS):
                    print(row(pair, method, measure(pair, method, bounds, folder)), flush=True)


if __name__ == "__main__":
    main()
