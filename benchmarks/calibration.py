"""Measures temperature scaling of solved heads: `python benchmarks/calibration.py --folder runs/calibration`.

Draws labelled examples of the sets of `few_labels.py`, solves a head on frozen features as recipe auto does (images at
160 pixels), fits a temperature to its out-of-fold predictions, and tests both on the fixed test set. The table has the
mean log-loss and expected calibration error (ECE) of the test sets without a temperature, with the fitted one, and with
the rule of `tl_keras.probing.Temperature.helps`, each with the standard error over the draws.
"""

import argparse
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from few_label_suite.draws import ALL, draw_examples
from few_label_suite.sets import IMAGES, REAL_SETS, SETS

from tl_keras import evaluation, probing
from tl_keras.config.parsing import parse
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import Examples, solve_examples

BUDGETS = (5, 10, 20, 50, 200)
IMAGE_SIZE = 160
WAYS = ("none", "fitted", "rule")


@dataclass
class Cell:
    """Test figures of one draw, each by way: the log-loss and the ECE."""

    figures: dict
    applied: bool


def open_set(name, folder):
    """Reads the features of a set.

    Returns:
        Tuple of the configuration, the `FeatureReader`, and features and labels of training and test examples.
    """
    table = draw_examples(name, ALL, 0, folder).table
    is_images = SETS[name].kind == IMAGES
    task = "image_classification" if is_images else "text_classification"
    flags = ["--task", task, "--data.path", table, "--data.on_bad_file", "skip", "--data.max_bad_files", "1"]
    flags += ["--data.image_size", str(IMAGE_SIZE)] if is_images else []
    config = parse(flags)
    splits = TASKS[task].load_data(config)
    reader = FeatureReader(config, splits)
    parts = [(reader.read(part), TASKS[task].example_labels(part)) for part in (splits.train, splits.test)]
    return config, reader, *parts


def measure(config, reader, train, test, budget, draw):
    """Solves a head on a draw and returns its `Cell`."""
    features, labels = train
    generator, classes = np.random.default_rng([draw, budget]), range(len(reader.class_names))
    rows = [generator.permutation(np.flatnonzero(labels == one))[:budget] for one in classes]
    rows = np.sort(np.concatenate(rows))
    folds = probing.make_folds(labels[rows], draw)
    solved = solve_examples(config, reader, Examples(features[rows], labels[rows], folds, np.arange(len(rows))))
    found = probing.choose_temperature(solved.predictions.probabilities, solved.predictions.labels)
    probabilities = solved.head.probabilities(test[0][:, reader.feature_set(solved.head_input).columns])
    temperatures = {"none": 1.0, "fitted": found.value, "rule": found.value if found.helps else 1.0}
    scaled = {way: probing.scale_probabilities(probabilities, value) for way, value in temperatures.items()}
    return Cell({way: _figures(test[1], one, reader.class_names) for way, one in scaled.items()}, found.helps)


def _figures(labels, probabilities, class_names):
    metrics = evaluation.classification_metrics(labels, probabilities, class_names)
    return metrics["log_loss"], metrics["expected_calibration_error"]


def format_table(cells):
    """Formats a line for each group of cells, dict from its name to a list of `Cell`."""
    lines = [
        "| set | draws | applied | " + " | ".join(f"{way}: log-loss, ECE" for way in WAYS) + " |",
        "|---" * 6 + "|",
    ]
    for name, group in cells.items():
        columns = [[_mean([cell.figures[way][place] for cell in group]) for place in (0, 1)] for way in WAYS]
        shown = [f"{loss}, {error}" for loss, error in columns]
        lines.append(f"| {name} | {len(group)} | {sum(cell.applied for cell in group)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _mean(values):
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0
    return f"{statistics.mean(values):.3f} ± {error:.3f}"


def main(arguments=None):
    """Measures all draws and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--folder", type=Path, required=True, help="folder for the data sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=REAL_SETS, help="data sets (default: all)")
    parser.add_argument("--budgets", nargs="+", type=int, default=BUDGETS, help="labels of each class")
    parser.add_argument("--draws", type=int, default=3, help="number of draws (default: 3)")
    options = parser.parse_args(arguments)
    cells = {}
    for name in options.sets:
        parts = open_set(name, options.folder)
        pairs = [(budget, draw) for budget in options.budgets for draw in range(options.draws)]
        cells[name] = [measure(*parts, budget, draw) for budget, draw in pairs]
        print(format_table({name: cells[name]}).splitlines()[-1], file=sys.stderr, flush=True)
    print(format_table(cells | {"all": [cell for group in cells.values() for cell in group]}))


if __name__ == "__main__":
    main()
