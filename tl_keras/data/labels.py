"""Labels: from the cells of a table to class numbers, and from those to the ones and zeros that losses take."""

import numpy as np

from tl_keras.data.listing import first_of
from tl_keras.data.records import sorted_class_names, split_of_name
from tl_keras.errors import InputError

# With fewer rows than this, every one may well be of another class.
_ROWS_THAT_REPEAT = 20


def read_labels(table, places, cells, separator=None):
    """Numbers the classes that cells name.

    Args:
        table: name of the table, for messages.
        places: where each row stands, such as "line 7".
        cells: the label of each row: a class name, or for multi-label any number of them, joined by `separator` or as
            a list.
        separator: what stands between class names; None means one label per row.

    Returns:
        class_names: tuple of the names in order.
        labels: int32 (n,); multi-label uint8 (n, num_classes), ones and zeros.

    Raises:
        InputError: labels are empty, or there are fewer than two classes (multi-label: one), or the labels do not
            repeat, as those of classes do.
    """
    named = [_names_of_cell(cell, separator) for cell in cells]
    if separator is None:
        _require_one_label(table, places, named)
    class_names = sorted_class_names(name for names in named for name in names)
    _require_classes(table, class_names, 2 if separator is None else 1, len(cells))
    index = {name: label for label, name in enumerate(class_names)}
    if separator is None:
        return class_names, np.array([index[name] for (name,) in named], np.int32)
    labels = np.zeros((len(cells), len(class_names)), np.uint8)
    for row, names in enumerate(named):
        labels[row, [index[name] for name in names]] = 1
    return class_names, labels


def read_splits(table, places, cells):
    """Reads the splits that cells name.

    Args:
        table: name of the table, for messages.
        places: where each row stands, such as "line 7".
        cells: the split of each row, such as "train" or "val", or "".

    Returns:
        list of "train", "validation", "test" or "".

    Raises:
        InputError: a cell names no split.
    """
    splits = [split_of_name(str(cell)) if cell else "" for cell in cells]
    unknown = [
        f"{cell!r} at {place}" for split, cell, place in zip(splits, cells, places, strict=True) if split is None
    ]
    if unknown:
        raise InputError(
            f"The table {table} has the split {first_of(unknown)}: expected train, validation, test or nothing."
        )
    return splits


def hot_labels(labels, num_classes):
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


def _require_one_label(table, places, named):
    empty = [place for place, names in zip(places, named, strict=True) if not names]
    if empty:
        raise InputError(f"The table {table} has no label at {first_of(empty)}: fill the cells or remove the lines.")
    several = [place for place, names in zip(places, named, strict=True) if len(names) > 1]
    if several:
        raise InputError(
            f"The table {table} has several labels at {first_of(several)}: expected one, or add --data.multi_label "
            "true."
        )


def _require_classes(table, class_names, least, rows):
    if len(class_names) < least:
        raise InputError(
            f"The table {table} has {len(class_names)} class{'' if len(class_names) == 1 else 'es'} "
            f"({', '.join(class_names) or 'no label'}): expected {least} or more; check --data.label_column."
        )
    if rows >= _ROWS_THAT_REPEAT and len(class_names) > rows / 2 and least == 2:
        raise InputError(
            f"The table {table} has {len(class_names)} different labels in {rows} rows: expected classes with several "
            "examples each; check --data.label_column."
        )
