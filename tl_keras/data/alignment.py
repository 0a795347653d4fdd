"""Brings the labels of other data into the order of the classes that a model knows."""

from dataclasses import replace

import numpy as np

from tl_keras.errors import unknown_name


def align_classes(records, class_names):
    """Renumbers labels, by the names of their classes.

    Args:
        records: `Records`, whose classes may be fewer or in another order.
        class_names: the names that the labels shall point into.

    Returns:
        New `Records` with `class_names`.

    Raises:
        InputError: a class is not among `class_names`.
    """
    places = _places(records.class_names, class_names)
    if records.labels.ndim == 1:
        labels = places[records.labels]
    else:
        labels = np.zeros((len(records), len(class_names)), records.labels.dtype)
        labels[:, places] = records.labels
    return replace(records, labels=labels, class_names=tuple(class_names))


def align_box_classes(records, class_names):
    """Renumbers the labels of boxes, as `align_classes` does those of images.

    Args:
        records: `BoxRecords`, whose classes may be fewer or in another order.
        class_names: the names that the labels shall point into.

    Returns:
        New `BoxRecords` with `class_names`.

    Raises:
        InputError: a class is not among `class_names`.
    """
    places = _places(records.class_names, class_names)
    return replace(records, labels=[places[labels] for labels in records.labels], class_names=tuple(class_names))


def _places(names, class_names):
    for name in names:
        if name not in class_names:
            raise unknown_name("class in the data, which the model never saw,", name, class_names)
    return np.array([class_names.index(name) for name in names], np.int32)
