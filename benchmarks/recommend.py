"""Measures whether `recommend` names the best backbone: `python benchmarks/recommend.py --folder runs/recommend`.

On a draw of labelled images of each set, `python -m tl_keras.recommend` ranks the backbones whose weights pip has. Each
is then trained by `--recipe progressive_unfreezing` on the same labels and tested on a fixed test set that the ranking
has not seen. The first choice is right if its accuracy is within one standard error of the best one, the error of the
paired difference on the test images.

Each training runs in a process of its own with one thread. What is in the folder is not measured again.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from few_label_suite.draws import draw_examples
from few_label_suite.environment import ROOT, make_environment
from few_label_suite.sets import IMAGES, REAL_SETS, SETS

BACKBONES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
IMAGE_SETS = tuple(name for name in REAL_SETS if SETS[name].kind == IMAGES)
HEAD = ("set", "first choice", *BACKBONES, "best minus first choice", "within one standard error")


def run_verb(verb, arguments, folder):
    """Runs a verb of tl_keras and ends the benchmark if it fails.

    Args:
        verb: module of tl_keras, such as "train".
        arguments: list of strings.
        folder: `pathlib.Path` of the benchmark, with the cache of features.
    """
    command = [sys.executable, "-m", f"tl_keras.{verb}", *arguments]
    subprocess.run(command, cwd=ROOT, env=make_environment(folder / "cache"), stdout=subprocess.DEVNULL, check=True)


def first_choice(table, target, options):
    """Ranks the backbones on the labels of a table and returns the name of the first."""
    if not (target / "recommendation.json").exists():
        flags = ["--data.path", table, "--backbones", ",".join(BACKBONES), "--output", str(target)]
        run_verb("recommend", [*flags, "--data.image_size", str(options.image_size)], options.folder)
    ranking = json.loads((target / "recommendation.json").read_text(encoding="utf-8"))
    return ranking["backbones"][0]["name"]


def fine_tuned(table, backbone, target, options):
    """Fine-tunes a backbone on the labels of a table.

    Returns:
        bool (m,), which test images it classifies correctly.
    """
    flags = ["--data.path", table, "--model.backbone", backbone, "--recipe", "progressive_unfreezing"]
    flags += ["--data.image_size", str(options.image_size), "--run", str(target)]
    run_verb("train", flags, options.folder)
    with open(target / "predictions.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    return np.array([row["prediction"] == row["label"] for row in rows])


def format_row(name, first, correct):
    """Formats a row of the table.

    Args:
        name: key of `SETS`.
        first: name of the first choice.
        correct: dict from backbone to bool (m,).
    """
    accuracies = {backbone: values.mean() for backbone, values in correct.items()}
    best = max(accuracies, key=accuracies.get)
    difference = correct[best].astype(float) - correct[first]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    cells = [f"{accuracies[backbone]:.3f}" for backbone in BACKBONES]
    within = "yes" if difference.mean() <= error else "no"
    return f"| {name} | {first} | {' | '.join(cells)} | {difference.mean():.3f} ± {error:.3f} | {within} |"


def main():
    """Measures the sets one after the other and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the data sets and the runs")
    parser.add_argument("--sets", nargs="+", choices=IMAGE_SETS, default=IMAGE_SETS)
    parser.add_argument("--budget", default="20", help="labels of each class (default: 20)")
    parser.add_argument("--image_size", type=int, default=128, help="side in pixels (default: 128)")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for name in options.sets:
        table = draw_examples(name, options.budget, 0, options.folder / "sets").table
        target = options.folder / f"{name}-{options.budget}-{options.image_size}"
        first = first_choice(table, target / "recommendation", options)
        correct = {backbone: fine_tuned(table, backbone, target / backbone, options) for backbone in BACKBONES}
        print(format_row(name, first, correct), flush=True)


if __name__ == "__main__":
    main()
