"""Draws of training examples: the same for all contenders, nested in the number of labels."""

import csv
import random
from collections import defaultdict
from dataclasses import dataclass

from few_label_suite.sets import SETS, TEXTS, write_set

ALL = "all"


@dataclass(frozen=True)
class Draw:
    """Training examples of one draw, and the test examples of the set."""

    table: str
    """Path of a table with the columns path or text, label and split, for `--data.path`."""
    train: dict
    """"items", a list of texts or of paths of images, and "labels", a list of class names."""
    test: dict
    """The same for the fixed test set."""


def draw_examples(name, budget, number, folder):
    """Draws labelled examples of a data set and writes them with the test set as a table.

    Args:
        name: key of `SETS`.
        budget: labels of each class, or "all"; classes with fewer examples give all of them, and a text that differs
            from one of the test set in spaces only is left out.
        number: int, number of the draw. The examples of a smaller budget are among those of a larger one.
        folder: `pathlib.Path` of the data sets, see `write_set`.

    Returns:
        `Draw`.
    """
    source = write_set(name, folder)
    is_text = SETS[name].kind == TEXTS
    rows = _read_table(source) if is_text else _list_images(source)
    test = [row for row in rows if row[2] == "test"]
    train = draw_rows([row for row in rows if row[2] == "train"], budget, number)
    # Training refuses texts that differ in spaces only. They are left out here, which changes no other draw.
    tested = {_without_spaces(row) for row in test}
    train = [row for row in train if _without_spaces(row) not in tested]
    table = folder / f"{name}-{budget}-{number}.csv" if is_text else source / f"{budget}-{number}.csv"
    with open(table, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("text" if is_text else "path", "label", "split"), *train, *test])
    parent = "" if is_text else f"{source.resolve()}/"
    return Draw(str(table.resolve()), _columns(train, parent), _columns(test, parent))


def draw_rows(rows, budget, number):
    """Draws at most `budget` rows of each label, the second value of a row, in an order that depends on `number`."""
    classes = defaultdict(list)
    for row in rows:
        classes[row[1]].append(row)
    drawn = []
    for label in sorted(classes):
        shuffled = list(classes[label])
        random.Random(f"{number} {label}").shuffle(shuffled)
        drawn += shuffled if budget == ALL else shuffled[: int(budget)]
    return drawn


def _without_spaces(row):
    return "".join(row[0].lower().split())


def _read_table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"], row["split"]) for row in csv.DictReader(file)]


def _list_images(folder):
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*/*.png"))
    return [(path, path.split("/")[1], path.split("/")[0]) for path in paths]


def _columns(rows, parent):
    return {"items": [f"{parent}{row[0]}" for row in rows], "labels": [row[1] for row in rows]}
