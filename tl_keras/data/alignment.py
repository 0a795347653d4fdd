"""Labels of new data in the class order of a trained model."""

from dataclasses import replace

import numpy as np

from tl_keras.errors import unknown_name


def align_classes(records, class_names):
    """Renumbers labels by their class names.

    Args:
        records: `Records`, whose classes may be fewer or in another order.
        class_names: the class names of the model.

    Returns:
        New `Records` with `class_names`.

    Raises:
        InputError: a class is not among `class_names`.
    """
    numbers = _numbers(records.class_names, class_names)
    if records.labels.ndim == 1:
        labels = numbers[records.labels]
    else:
        labels = np.zeros((len(records), len(class_names)), records.labels.dtype)
        labels[:, numbers] = records.labels
    return replace(records, labels=labels, class_names=tuple(class_names))


def align_box_classes(records, class_names):
    """Renumbers the labels of boxes by their class names.

    Args:
        records: `BoxRecords`, whose classes may be fewer or in another order.
        class_names: the class names of the model.

    Returns:
        New `BoxRecords` with `class_names`.

    Raises:
        InputError: a class is not among `class_names`.
    """
    numbers = _numbers(records.class_names, class_names)
    return replace(records, labels=[numbers[labels] for labels in records.labels], class_names=tuple(class_names))


def _numbers(names, class_names):
    for name in names:
        if name not in class_names:
            raise unknown_name("class in the data, which the model never saw,", name, class_names)
    return np.array([class_names.index(name) for name in names], np.int32)
