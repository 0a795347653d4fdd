"""Measures how many wrong labels `label check` finds: `python benchmarks/label_errors.py --folder runs/few_labels`.

Labels of data sets of the few-label benchmark are changed to another class at random, and the check is asked as many
times as labels were changed. The recall is the share of the changed labels among its first suggestions, as many as were
changed; the original labels may be wrong, too, which lowers it.
"""

import argparse
import contextlib
import csv
import io
import statistics
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from few_label_suite.draws import draw_examples
from few_label_suite.sets import REAL_SETS, SETS, TEXTS

from tl_keras.config.parsing import parse
from tl_keras.studies.label_check import check_labels


def measure_recall(name, rate, draw, options):
    """Changes a share of the training labels of a set, and returns the share of them that the check lists first."""
    table = Path(draw_examples(name, options.budget, draw, options.folder / "sets").table)
    changed_table = table.with_name(f"changed-{table.name}")
    changed = change_labels(table, changed_table, rate, draw)
    task = "text_classification" if SETS[name].kind == TEXTS else "image_classification"
    flags = ["--task", task, "--data.path", str(changed_table), "--seed", str(draw), "--recipe", "auto"]
    weights = [] if SETS[name].weights else ["--model.weights", "none"]
    with contextlib.redirect_stdout(io.StringIO()):
        check = check_labels(parse([*flags, *weights]))
    first = {check.cells[row][0] for row in check.rows[: len(changed)]}
    return len(first & changed) / len(changed)


def change_labels(source, target, rate, seed):
    """Writes a table without its test rows and with a share of wrong labels; returns the names of their examples."""
    with open(source, encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    rows = [row[:2] for row in rows if row[2] == "train"]
    generator, classes = np.random.default_rng(seed), sorted({label for _, label in rows})
    chosen = generator.permutation(len(rows))[: max(1, round(rate * len(rows)))]
    for row in chosen:
        others = [label for label in classes if label != rows[row][1]]
        rows[row] = [rows[row][0], others[generator.integers(len(others))]]
    with open(target, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head[:2], *rows])
    # An example of a text table is named by its line; the heading is line 1.
    is_text = head[0] == "text"
    return {f"line {row + 2}" if is_text else rows[row][0] for row in chosen}


def main(arguments=None):
    """Prints a table of the recall by data set and share of wrong labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=REAL_SETS, help="data sets (default: all)")
    parser.add_argument("--rates", nargs="+", type=float, default=[0.05, 0.1, 0.2], help="shares of wrong labels")
    parser.add_argument("--budget", default="50", help="labels of each class (default: 50)")
    parser.add_argument("--draws", type=int, default=5, help="number of draws (default: 5)")
    options = parser.parse_args(arguments)
    print(
        f"| set | {' | '.join(f'{rate:.0%} wrong' for rate in options.rates)} |\n|{'---|' * (len(options.rates) + 1)}"
    )
    means = []
    for name in options.sets:
        recalls = [
            [measure_recall(name, rate, draw, options) for draw in range(options.draws)] for rate in options.rates
        ]
        means.append([statistics.mean(values) for values in recalls])
        cells = [f"{statistics.mean(values):.2f} ± {statistics.pstdev(values):.2f}" for values in recalls]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"| mean | {' | '.join(f'{statistics.mean(column):.2f}' for column in zip(*means, strict=True))} |")


if __name__ == "__main__":
    main()
