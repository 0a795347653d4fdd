"""Measures adaptation without target labels: `python benchmarks/adaptation.py --folder runs/adaptation`.

Each method adapts a model trained on a source to a target, with several seeds, which determine the splits, the labelled
examples and their order. The table shows the accuracy on held-out target examples before and after adaptation, that of
the same network trained on the target labels, and the share of the gap between them that adaptation closes, as mean and
standard deviation. "kept" counts the seeds where the validator preferred an adapted model to the source-only one.

Finished runs in the folder are read instead of repeated, and interrupted runs resume.
"""

import argparse
import contextlib
import statistics
import tempfile
from pathlib import Path

from label_curve import train

from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS, STATISTICS_ONLY

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
        "--data.image_size": "96",
        "--data.augmentation": "none",
    },
    # Lower layers and more epochs would take hours.
    "product → film reviews": {
        "--config": "sentiment",
        "--adaptation.target": "movie_reviews",
        "--adaptation.train": "layer4",
        "--adaptation.epochs": "2",
    },
}
TEXTS = "product → film reviews"
METHODS = (*DEFAULT_WEIGHTS, *STATISTICS_ONLY)


def adapt(pair, method, seed, upper_bound, folder):
    """Runs one adaptation, with an upper bound if asked for, and returns its part of the metrics."""
    flags = PAIRS[pair] | {
        "--adaptation.method": method,
        "--adaptation.upper_bound": str(upper_bound).lower(),
        "--seed": str(seed),
    }
    name = f"{list(PAIRS).index(pair)}-{method}-{seed}{'-bound' if upper_bound else ''}"
    arguments = [part for flag in flags.items() for part in flag]
    return train(arguments, folder / name)["adaptation"]


def row(pair, method, records, bounded):
    """Formats a row of the table; `bounded` are the records with upper bounds, for the same seeds."""
    before, after = ([record["target"][way]["accuracy"] for record in records] for way in ("source_only", "adapted"))
    bound = [record["target"]["upper_bound"]["accuracy"] for record in bounded]
    kept = [record["kept"] != "source-only" for record in records]
    closed = [(b - a) / (c - a) for a, b, c in zip(before, after, bound, strict=True)]
    cells = [f"{statistics.mean(values):.3f} ± {statistics.pstdev(values):.3f}" for values in (before, after, bound)]
    return f"| {pair} | {method} | {' | '.join(cells)} | {statistics.mean(closed):.0%} | {sum(kept)} of {len(kept)} |"


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", action="append", choices=PAIRS, help="may be repeated (default: all)")
    parser.add_argument("--method", action="append", choices=METHODS, help="may be repeated (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default: 3)")
    parser.add_argument("--folder", help="folder for the runs (default: a temporary folder)")
    options = parser.parse_args()
    print("| domains | method | source-only | adapted | trained on target labels | gap closed | kept |")
    print("|---|---|---|---|---|---|---|")
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for pair in options.pair or PAIRS:
            bounded = None
            for method in options.method or METHODS:
                if not (pair == TEXTS and method in STATISTICS_ONLY):
                    records = [adapt(pair, method, seed, bounded is None, folder) for seed in range(options.seeds)]
                    bounded = bounded or records
                    print(row(pair, method, records, bounded), flush=True)


if __name__ == "__main__":
    main()
