"""Labels of a target domain: matched to the classes of the source, hidden for adaptation, revealed for comparison."""

from dataclasses import replace

import numpy as np

from tl_keras.data.alignment import find_class
from tl_keras.data.records import Records
from tl_keras.data.wording import excerpt, first_of
from tl_keras.errors import InputError, unknown_name

NO_LABEL = -1


def make_unlabelled_records(sources, class_names, location):
    """Makes `Records` of examples that have no labels.

    Args:
        sources: list of the images or texts, at least one.
        class_names: the classes of the source.
        location: path of the folder or file that the examples come from, for the error message.

    Returns:
        `Records` with the label `NO_LABEL` throughout, numbered from 1, without splits.

    Raises:
        InputError: there are no examples.
    """
    if not sources:
        raise InputError(f"Nothing to adapt to in {location}: expected images, or a text in each line.")
    names = [str(number) for number, _ in enumerate(sources, start=1)]
    labels = np.full(len(sources), NO_LABEL, np.int32)
    return Records(list(sources), names, labels, [""] * len(sources), tuple(class_names))


def align_target(records, class_names, unknown_classes):
    """Renumbers the labels of the target by the class names of the source.

    Args:
        records: `Records` with one label per example.
        class_names: the classes of the source.
        unknown_classes: handling of classes that the source lacks: "error" refuses them, "drop" gives their examples
            the label `NO_LABEL`.

    Returns:
        New `Records` with `class_names`; a note names each class that was dropped, and those that the target lacks.

    Raises:
        InputError: the source lacks some of the classes, or all of them.
    """
    known = [find_class(name, class_names) for name in records.class_names]
    unknown = [name for name, place in zip(records.class_names, known, strict=True) if place is None]
    if len(unknown) == len(records.class_names):
        theirs, ours = first_of(map(excerpt, unknown)), first_of(map(excerpt, class_names))
        raise InputError(
            f"None of the target's classes ({theirs}) is one of the source's ({ours}): "
            "use the same class names in both, or give the target without class folders or labels."
        )
    if unknown and unknown_classes == "error":
        error = unknown_name("class in the target, which the source lacks,", unknown[0], class_names)
        raise InputError(f"{str(error).rstrip('.')}; or leave it out of the report: --adaptation.unknown_classes drop.")
    numbers = [NO_LABEL if place is None else place for place in known]
    missing = [name for place, name in enumerate(class_names) if place not in known]
    notes = [
        f"The target's class {excerpt(name)} is unknown to the source: left out of the report." for name in unknown
    ]
    if missing:
        notes.append(f"The target has no example of {first_of(map(excerpt, missing))}.")
    labels = np.array(numbers, np.int32)[records.labels]
    return replace(records, labels=labels, class_names=tuple(class_names), notes=(*records.notes, *notes))


def hide_labels(records, test_fraction, seed):
    """Splits the target into unlabelled examples to adapt to and labelled examples for the report.

    Labels do not influence the split: the data's own test split is used, or the test examples are drawn at random.
    Examples without a label are always adapted to.

    Args:
        records: `Records` of the target, see `align_target`.
        test_fraction: fraction of the examples to draw for the report, 0 to below 1, if there is no test split.
        seed: int, for the random draw.

    Returns:
        `Records` with the splits "train", whose labels are all 0 and meaningless, and "test", whose labels are kept.
    """
    is_test = np.asarray(records.splits, object) == "test"
    if not is_test.any():
        order = np.random.default_rng(seed).permutation(len(records))
        is_test[order[: round(test_fraction * len(records))]] = True
    is_test &= records.labels != NO_LABEL
    splits = np.where(is_test, "test", "train").tolist()
    return replace(records, labels=np.where(is_test, records.labels, 0).astype(np.int32), splits=splits)


def reveal_labels(records, hidden):
    """Restores the target's labels, to train the model that serves as upper bound.

    Args:
        records: `Records` of the target, with labels.
        hidden: the result of `hide_labels` for these records.

    Returns:
        `Records` of all examples that have a label, with the test split of `hidden`; the other splits are undecided.
    """
    splits = [split if split == "test" else "" for split in hidden.splits]
    return replace(records, splits=splits).take(np.flatnonzero(records.labels != NO_LABEL))
