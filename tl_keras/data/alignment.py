"""Labels of new data in the class order of a trained model."""

from dataclasses import replace

import numpy as np

from tl_keras.data.wording import as_class_name, as_number
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


def _index(name, class_names):
    # Runs of earlier versions may have names with accents in another encoding.
    spellings = [as_class_name(known) for known in class_names]
    if name in class_names or as_class_name(name) in spellings:
        return class_names.index(name) if name in class_names else spellings.index(as_class_name(name))
    numbers = [as_number(known) for known in class_names]
    if as_number(name) is None or numbers.count(as_number(name)) != 1:
        raise unknown_name("class in the data, which the model never saw,", name, class_names)
    return numbers.index(as_number(name))
