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
    for name in records.class_names:
        if name not in class_names:
            raise unknown_name("class in the data, which the model never saw,", name, class_names)
    places = np.array([class_names.index(name) for name in records.class_names], np.int32)
    if records.labels.ndim == 1:
        labels = places[records.labels]
    else:
        labels = np.zeros((len(records), len(class_names)), records.labels.dtype)
        labels[:, places] = records.labels
    return replace(records, labels=labels, class_names=tuple(class_names))
