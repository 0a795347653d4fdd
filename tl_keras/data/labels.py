"""Labels: class numbers from the cells of a table, and one-hot vectors from class numbers."""

import numpy as np

from tl_keras.data.label_cells import (
    DEFAULT_SEPARATOR,
    check_separator,
    find_joined_labels,
    hold_zeros_and_ones,
    join_class_columns,
    read_lists,
    split_names,
)
from tl_keras.data.records import sorted_class_names, split_of_name
from tl_keras.data.wording import as_number, excerpt, lookalikes, printable
from tl_keras.errors import counted

# In smaller tables every row may have a class of its own.
_MIN_ROWS_TO_REPEAT = 20


def read_label_columns(places, cells, columns, faults):
    """Reads the labels of a table from their column, or from a column of zeros and ones for each class.

    Args:
        places: location of each row, such as "line 7".
        cells: dict from column to the cells of each row, as `read_columns` returns it.
        columns: `TableColumns`.
        faults: `Faults` that collects the problems.

    Returns:
        class_names: as `read_labels` returns them.
        labels: the same.
    """
    if isinstance(columns.label, str):
        of_rows = cells[columns.label]
    else:
        of_rows = join_class_columns(places, {name: cells[name] for name in columns.label}, faults)
    return read_labels(places, of_rows, faults, columns.multi_label, columns.label_separator)


def read_labels(places, cells, faults, multi_label=False, separator=None):
    """Converts label cells to class numbers.

    Args:
        places: location of each row, such as "line 7".
        cells: the label of each row: a class name, or for multi-label any number of class names, joined by the
            separator; or a list of them, also as text such as "['a', 'b']".
        faults: `Faults` that collects the problems: labels that are empty, NaN or not printable, or that differ in case
            and spaces only; fewer than two classes (multi-label: one); nearly as many labels as rows; cells that join
            several labels where one is expected or by another separator; zeros and ones in place of names.
        multi_label: False if each row has exactly one label.
        separator: str between the names of a cell, for multi-label; None for `DEFAULT_SEPARATOR`.

    Returns:
        class_names: tuple of the sorted names; numbers that differ in ".0" only, such as "1" and "1.0", are one.
        labels: int32 (n,); multi-label uint8 (n, num_classes), ones and zeros. If there are faults, rows without a
            label have an arbitrary one.
    """
    cells = read_lists(places, cells, faults)
    if hold_zeros_and_ones(cells):
        advice = 'write the names of the classes, or give a column for each class: --data.label_column "[a, b]"'
        faults.add("zeros and ones in place of class names", places[0], advice)
        return ("?",), np.zeros(len(cells), np.int32)
    separator = (separator or DEFAULT_SEPARATOR) if multi_label else None
    names_of_rows = _unite_numbers([split_names(cell, separator) for cell in cells])
    if multi_label:
        check_separator(places, cells, separator, faults)
    else:
        _require_one_label(places, cells, names_of_rows, faults)
    _check_names(places, names_of_rows, faults)
    class_names = sorted_class_names(name for names in names_of_rows for name in names)
    _check_classes(class_names, 1 if multi_label else 2, len(cells), faults)
    index = {name: label for label, name in enumerate(class_names)}
    if not multi_label:
        labels = [min((index[name] for name in names), default=0) for names in names_of_rows]
        return class_names, np.array(labels, np.int32)
    labels = np.zeros((len(cells), len(class_names)), np.uint8)
    for row, names in enumerate(names_of_rows):
        labels[row, [index[name] for name in names]] = 1
    return class_names, labels


def read_splits(places, cells, faults):
    """Converts cells to split names.

    Args:
        places: location of each row, such as "line 7".
        cells: the split of each row, such as "train" or "val", or "".
        faults: `Faults` that collects the cells that name no split.

    Returns:
        List of "train", "validation", "test" or "".
    """
    splits = [split_of_name(str(cell)) if cell else "" for cell in cells]
    for split, cell, place in zip(splits, cells, places, strict=True):
        if split is None:
            advice = "expected train, validation, test or nothing as the split"
            faults.add("an unknown split", f"{place} ({excerpt(str(cell))!r})", advice)
    return splits


def to_one_hot(labels, num_classes):
    """Converts labels to one-hot or multi-hot vectors.

    Args:
        labels: int32 (k,), or uint8 (k, num_classes) for multi-label.
        num_classes: int.

    Returns:
        float32 (k, num_classes), one-hot or multi-hot.
    """
    if labels.ndim == 1:
        labels = labels[:, None] == np.arange(num_classes)
    return labels.astype(np.float32)


def _unite_numbers(names_of_rows):
    """Removes zeros after the point if all names are numbers and some differ in these zeros only."""
    names = {name for names in names_of_rows for name in names}
    shortest = {name: name.rstrip("0").rstrip(".") if "." in name else name for name in names}
    if not all(map(as_number, names)) or len(set(shortest.values())) == len(names):
        return list(map(set, names_of_rows))
    return [{shortest[name] for name in names} for names in names_of_rows]


def _require_one_label(places, cells, names_of_rows, faults):
    joined = find_joined_labels(cells)
    for place, cell, names in zip(places, cells, names_of_rows, strict=True):
        if not names:
            faults.add("no label", place, "fill the cells or remove the rows")
        elif len(names) > 1:
            faults.add("several labels", place, "give each row one label, or add --data.multi_label true")
        elif isinstance(cell, str) and cell in joined:
            advice = 'add --data.multi_label true, or write a name that holds the separator as a list: ["a|b"]'
            faults.add("several labels in one text", f"{place} ({excerpt(cell)})", advice)


def _check_names(places, names_of_rows, faults):
    for place, names in zip(places, names_of_rows, strict=True):
        for name in names:
            if name.lower() == "nan":
                faults.add(
                    f"the label {name}, which stands for a missing value", place, "fill the cells or remove the rows"
                )
            elif name != printable(name):
                faults.add("a label with control or broken characters", f"{place} ({excerpt(name)})", "write it anew")


def _check_classes(class_names, minimum, rows, faults):
    check = "check --data.label_column"
    if len(class_names) < minimum:
        count = counted(len(class_names), "class")
        listed = ", ".join(map(excerpt, class_names)) or "no label"
        faults.add(f"{count} ({listed}) where {minimum} or more are expected", "", check)
    if rows >= _MIN_ROWS_TO_REPEAT and len(class_names) > rows / 2 and minimum == 2:
        problem = (
            f"{counted(len(class_names), 'different label')} in {counted(rows, 'row')}, where classes with several "
            "examples are expected"
        )
        faults.add(problem, "", check)
    else:
        for names in lookalikes(class_names):
            faults.add("labels that look alike", names, "use one spelling for each class")
