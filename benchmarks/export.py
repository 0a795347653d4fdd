"""Compares exports of a run with `model.predict` of Keras at batch 1 and 32, in turns: A B A B.

    python benchmarks/export.py RUN --quantize int8

Prints the share of the time of `model.predict` that each format takes, and whether the fastest one reaches the goals:
at most 0.2 at batch 1 and 0.6 at batch 32, with at most half a point of the metric lost.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import tl_keras as tl

GOALS = {"1": 0.2, "32": 0.6}
ALLOWED_LOSS = 0.005


def main():
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--format", default="all")
    parser.add_argument("--quantize")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = tl.load_run(options.run).export(options.format, options.quantize, folder)
    baseline, *exports = results["exports"]
    print(f"| share of model.predict | batch 1 | batch 32 | {results['metric']} |", "|---|---|---|---|", sep="\n")
    for row in exports:
        row["shares"] = {size: row["milliseconds"][size] / baseline["milliseconds"][size] for size in GOALS}
        shares = " | ".join(f"{share:.3f}" for share in row["shares"].values())
        print(f"| {row['name']} | {shares} | {row['value']:.4f} |")
    accurate = [row for row in exports if row["value"] >= baseline["value"] - ALLOWED_LOSS]
    for size, goal in GOALS.items():
        best = min(accurate, key=lambda row: row["shares"][size])
        verdict = "reached" if best["shares"][size] <= goal else "missed"
        print(f"batch {size}: {best['name']} {best['shares'][size]:.3f}, goal {goal}: {verdict}")


if __name__ == "__main__":
    main()
