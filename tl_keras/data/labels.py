"""Labels: class numbers from the cells of a table, and one-hot vectors from class numbers."""

import numpy as np

from tl_keras.data.records import sorted_class_names, split_of_name
from tl_keras.data.wording import lookalikes, printable

# In smaller tables every row may have a class of its own.
_MIN_ROWS_TO_REPEAT = 20
_SEPARATOR = "|"


def read_labels(places, cells, faults, multi_label=False):
    """Converts label cells to class numbers.

    Args:
        places: location of each row, such as "line 7".
        cells: the label of each row: a class name, or for multi-label any number of class names, as a list or joined
            by "|".
        faults: `Faults` that collects the problems: labels that are empty, NaN or not printable, or that differ in case
            and spaces only; fewer than two classes (multi-label: one); nearly as many labels as rows.
        multi_label: False if each row has exactly one label.

    Returns:
        class_names: tuple of the sorted names.
        labels: int32 (n,); multi-label uint8 (n, num_classes), ones and zeros. If there are faults, rows without a
            label have an arbitrary one.
    """
    names_of_rows = [_names_of_cell(cell, multi_label) for cell in cells]
    if not multi_label:
        _require_one_label(places, names_of_rows, faults)
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
            faults.add("an unknown split", f"{place} ({printable(str(cell))!r})", advice)
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


def _names_of_cell(cell, multi_label):
    names = cell if isinstance(cell, list) else cell.split(_SEPARATOR) if multi_label else [cell]
    return {name.strip() for name in names if name.strip()}


def _require_one_label(places, names_of_rows, faults):
    for place, names in zip(places, names_of_rows, strict=True):
        if not names:
            faults.add("no label", place, "fill the cells or remove the rows")
        elif len(names) > 1:
            faults.add("several labels", place, "give each row one label, or add --data.multi_label true")


def _check_names(places, names_of_rows, faults):
    for place, names in zip(places, names_of_rows, strict=True):
        for name in names:
            if name.lower() == "nan":
                faults.add(
                    f"the label {name}, which stands for a missing value", place, "fill the cells or remove the rows"
                )
            elif name != printable(name):
                faults.add("a label with control or broken characters", f"{place} ({printable(name)})", "write it anew")


def _check_classes(class_names, minimum, rows, faults):
    check = "check --data.label_column"
    if len(class_names) < minimum:
        count = f"{len(class_names)} class{'' if len(class_names) == 1 else 'es'}"
        listed = ", ".join(map(printable, class_names)) or "no label"
        faults.add(f"{count} ({listed}) where {minimum} or more are expected", "", check)
    if rows >= _MIN_ROWS_TO_REPEAT and len(class_names) > rows / 2 and minimum == 2:
        problem = (
            f"{len(class_names)} different labels in {rows} rows, where classes with several examples are expected"
        )
        faults.add(problem, "", check)
    else:
        for names in lookalikes(class_names):
            faults.add("labels that look alike", names, "use one spelling for each class")
