"""Labels of new data in the class order of a trained model."""

import re
from dataclasses import replace

import numpy as np

from tl_keras.data.wording import as_class_name, as_number, without_joiners
from tl_keras.errors import unknown_name


def align_classes(records, class_names):
    """Renumbers labels by their class names; "1" and "1.0" are the same name.

    Args:
        records: `Records` or `BoxRecords`, whose classes may be fewer or in another order.
        class_names: the class names of the model.

    Returns:
        New records with `class_names`.

    Raises:
        InputError: a class is not among `class_names`.
    """
    numbers = np.array([_index(name, class_names) for name in records.class_names], np.int32)
    if isinstance(records.labels, list):
        labels = [numbers[labels_of_boxes] for labels_of_boxes in records.labels]
    elif records.labels.ndim == 1:
        labels = numbers[records.labels]
    else:
        labels = np.zeros((len(records), len(class_names)), records.labels.dtype)
        labels[:, numbers] = records.labels
    return replace(records, labels=labels, class_names=tuple(class_names))


def find_class(name, class_names):
    """Finds a class whose name may be written in another way: accents in another encoding, or other joiners.

    Args:
        name: str.
        class_names: sequence of str; names of earlier versions may hold escaped joiners, such as "\\u200c".

    Returns:
        int, its place in `class_names`; None if no name fits.
    """
    if name in class_names:
        return class_names.index(name)
    spellings = [_spelling(known) for known in class_names]
    return spellings.index(_spelling(name)) if _spelling(name) in spellings else None


def _index(name, class_names):
    if (known := find_class(name, class_names)) is not None:
        return known
    numbers = [as_number(known) for known in class_names]
    if as_number(name) is None or numbers.count(as_number(name)) != 1:
        raise unknown_name("class in the data, which the model never saw,", name, class_names)
    return numbers.index(as_number(name))


def _spelling(name):
    return re.sub(r"\\u200[cd]", "", without_joiners(as_class_name(name)))
