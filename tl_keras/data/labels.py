"""Labels: from the cells of a table to class numbers, and from those to the ones and zeros that losses take."""

import numpy as np

from tl_keras.data.records import sorted_class_names, split_of_name
from tl_keras.data.wording import lookalikes, printable

# With fewer rows than this, every one may well be of another class.
_ROWS_THAT_REPEAT = 20


def read_labels(places, cells, faults, separator=None):
    """Numbers the classes that cells name.

    Args:
        places: where each row stands, such as "line 7".
        cells: the label of each row: a class name, or for multi-label any number of them, joined by `separator` or as
            a list.
        faults: `Faults` to which is added what is wrong: labels that are empty, NaN, no single line of text or alike
            but for case and spaces; fewer than two classes (multi-label: one); labels that do not repeat, as those of
            classes do.
        separator: what stands between class names; None means one label per row.

    Returns:
        class_names: tuple of the names in order.
        labels: int32 (n,); multi-label uint8 (n, num_classes), ones and zeros. Where faults were found, rows without a
            label may have any.
    """
    named = [_names_of_cell(cell, separator) for cell in cells]
    if separator is None:
        _note_other_than_one(places, named, faults)
    _note_strange(places, named, faults)
    class_names = sorted_class_names(name for names in named for name in names)
    _note_strange_classes(class_names, 2 if separator is None else 1, len(cells), faults)
    index = {name: label for label, name in enumerate(class_names)}
    if separator is None:
        return class_names, np.array([min((index[name] for name in names), default=0) for names in named], np.int32)
    labels = np.zeros((len(cells), len(class_names)), np.uint8)
    for row, names in enumerate(named):
        labels[row, [index[name] for name in names]] = 1
    return class_names, labels


def read_splits(places, cells, faults):
    """Reads the splits that cells name.

    Args:
        places: where each row stands, such as "line 7".
        cells: the split of each row, such as "train" or "val", or "".
        faults: `Faults` to which every cell is added that names no split.

    Returns:
        list of "train", "validation", "test" or "".
    """
    splits = [split_of_name(str(cell)) if cell else "" for cell in cells]
    for split, cell, place in zip(splits, cells, places, strict=True):
        if split is None:
            advice = "expected train, validation, test or nothing as the split"
            faults.add("an unknown split", f"{place} ({printable(str(cell))!r})", advice)
    return splits


def to_one_hot(labels, num_classes):
    """Writes labels as losses take them.

    Args:
        labels: int32 (k,), or uint8 (k, num_classes) for multi-label.
        num_classes: int.

    Returns:
        float32 (k, num_classes), one-hot or multi-hot.
    """
    if labels.ndim == 1:
        labels = labels[:, None] == np.arange(num_classes)
    return labels.astype(np.float32)


def _names_of_cell(cell, separator):
    names = cell if isinstance(cell, list) else cell.split(separator) if separator else [cell]
    return {name.strip() for name in names if name.strip()}


def _note_other_than_one(places, named, faults):
    for place, names in zip(places, named, strict=True):
        if not names:
            faults.add("no label", place, "fill the cells or remove the rows")
        elif len(names) > 1:
            faults.add("several labels", place, "give each row one label, or add --data.multi_label true")


def _note_strange(places, named, faults):
    for place, names in zip(places, named, strict=True):
        for name in names:
            if name.lower() == "nan":
                faults.add(f"the label {name}, which stands for none", place, "fill the cells or remove the rows")
            elif name != printable(name):
                faults.add("a label with control or broken characters", f"{place} ({printable(name)})", "write it anew")


def _note_strange_classes(class_names, least, rows, faults):
    check = "check --data.label_column"
    if len(class_names) < least:
        count = f"{len(class_names)} class{'' if len(class_names) == 1 else 'es'}"
        listed = ", ".join(map(printable, class_names)) or "no label"
        faults.add(f"{count} ({listed}) where {least} or more are expected", "", check)
    if rows >= _ROWS_THAT_REPEAT and len(class_names) > rows / 2 and least == 2:
        what = f"{len(class_names)} different labels in {rows} rows, where classes with several examples are expected"
        faults.add(what, "", check)
    else:
        for names in lookalikes(class_names):
            faults.add("labels that look alike", names, "write the labels of one class alike")
