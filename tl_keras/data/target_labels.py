"""Examples of a target domain: with labels, which are for reports alone, or without."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from tl_keras.data.data_errors import Faults
from tl_keras.data.examples.catalogue import IMAGE_EXAMPLES, TEXT_EXAMPLES
from tl_keras.data.reading.delimited import read_utf8
from tl_keras.data.reading.folders import list_images
from tl_keras.data.reading.table_cells import TABLE_SUFFIXES, has_column, read_cells
from tl_keras.data.records import Records
from tl_keras.data.texts.checks import check_texts
from tl_keras.data.wording import first_of
from tl_keras.errors import InputError, unknown_name

NO_LABEL = -1


def find_target_images(path, class_names, read, *, unknown_classes="error"):
    """Lists the images of a target domain.

    Args:
        path: a folder with images and no class folders, which have no labels then; or what `read` takes.
        class_names: the classes of the source.
        read: function from a path to `Records` with labels, such as `find_records`.
        unknown_classes: "error" or "drop", see `align_target`.

    Returns:
        `Records` in the order of `class_names`, with `NO_LABEL` where there is none, or one of no known class.

    Raises:
        InputError: nothing is there, or classes are not known.
    """
    folder = Path(path)
    if str(path) not in IMAGE_EXAMPLES and os.path.isdir(folder) and _has_no_class_folders(folder):
        return _without_labels(list_images(folder), class_names, folder)
    return align_target(read(path), class_names, unknown_classes)


def find_target_texts(
    path,
    class_names,
    read,
    *,
    text_column="text",
    second_text_column=None,
    label_column="label",
    unknown_classes="error",
):
    """Reads the texts of a target domain.

    Args:
        path: a .txt file with a text in each line, or a table without the column of labels, which have no labels then;
            or what `read` takes.
        class_names: the classes of the source.
        read: function from a path to `Records` with labels, such as `find_texts`.
        text_column: of a table without labels, the column of texts.
        second_text_column: the column of the second text of each pair; None: no pairs.
        label_column: the column that a table with labels has.
        unknown_classes: "error" or "drop", see `align_target`.

    Returns:
        `Records` in the order of `class_names`, with `NO_LABEL` where there is none, or one of no known class.

    Raises:
        InputError: nothing is there, or classes are not known.
    """
    file = Path(path)
    if str(path) not in TEXT_EXAMPLES and os.path.isfile(file) and file.suffix.lower() == ".txt":
        lines = [line.strip() for line in read_utf8(file).splitlines()]
        return _without_labels([line for line in lines if line], class_names, file)
    is_table = str(path) not in TEXT_EXAMPLES and file.suffix.lower() in TABLE_SUFFIXES and os.path.isfile(file)
    if is_table and not has_column(file, "data.label_column", label_column):
        return _read_bare_table(file, class_names, text_column, second_text_column)
    return align_target(read(path), class_names, unknown_classes)


def align_target(records, class_names, unknown_classes):
    """Renumbers labels by the names of the source's classes.

    Args:
        records: `Records` with one label per example.
        class_names: the classes of the source.
        unknown_classes: what becomes of classes that are none of these: "error" refuses them, "drop" gives their
            examples `NO_LABEL`.

    Returns:
        New `Records` with `class_names`; a note tells of classes that were dropped, or that the target lacks.

    Raises:
        InputError: classes are not known, or none is.
    """
    unknown = [name for name in records.class_names if name not in class_names]
    if len(unknown) == len(records.class_names):
        raise InputError(
            f"None of the target's classes ({first_of(unknown)}) is one of the source's ({first_of(class_names)}): "
            "name them alike, or give the target without class folders or labels."
        )
    if unknown and unknown_classes == "error":
        error = unknown_name("class in the target, which the source lacks,", unknown[0], class_names)
        raise InputError(f"{str(error).rstrip('.')}; or leave it out of the report: --adaptation.unknown_classes drop.")
    places = [class_names.index(name) if name in class_names else NO_LABEL for name in records.class_names]
    missing = [name for name in class_names if name not in records.class_names]
    notes = [f"The target's class {name} is unknown to the source: left out of the report." for name in unknown]
    if missing:
        notes.append(f"The target has no example of {first_of(missing)}.")
    labels = np.array(places, np.int32)[records.labels]
    return replace(records, labels=labels, class_names=tuple(class_names), notes=(*records.notes, *notes))


def hide_labels(records, test_fraction, seed):
    """Decides which target examples are adapted to, and which are for the report; only the latter keep their labels.

    No label has a part in it: given test splits stay, or the test is drawn at random. What has no label is adapted to.

    Args:
        records: `Records` of the target, see `align_target`.
        test_fraction: part of the examples that is drawn, 0 to below 1.
        seed: int, of the drawing.

    Returns:
        `Records` whose splits are "train", with labels 0 that mean nothing, and "test", with the true ones.
    """
    is_test = np.asarray(records.splits, object) == "test"
    if not is_test.any():
        order = np.random.default_rng(seed).permutation(len(records))
        is_test[order[: round(test_fraction * len(records))]] = True
    is_test &= records.labels != NO_LABEL
    splits = np.where(is_test, "test", "train").tolist()
    return replace(records, labels=np.where(is_test, records.labels, 0).astype(np.int32), splits=splits)


def reveal_labels(records, hidden):
    """Gives the target's labels back, for the model that could have been trained on them.

    Args:
        records: `Records` of the target.
        hidden: what `hide_labels` made of them.

    Returns:
        `Records` of all examples with a label; the test is the same, the other splits are undecided.
    """
    splits = [split if split == "test" else "" for split in hidden.splits]
    return replace(records, splits=splits).take(np.flatnonzero(records.labels != NO_LABEL))


def _has_no_class_folders(folder):
    # An image beside the folders of classes is no sign that there are none.
    return len({Path(image).parent for image in list_images(folder)} - {folder}) < 2


def _read_bare_table(table, class_names, text_column, second_text_column):
    wanted = {"text.text_column": text_column}
    if second_text_column is not None:
        wanted["text.second_text_column"] = second_text_column
    places, rows = zip(*read_cells(table, wanted), strict=True)
    names = list(wanted.values())
    texts = [row.get(names[0], "") if len(names) == 1 else tuple(row.get(name, "") for name in names) for row in rows]
    faults = Faults(f"The table {table}")
    check_texts(places, texts, faults)
    faults.raise_if_any()
    return _without_labels(texts, class_names, table)


def _without_labels(sources, class_names, place):
    if not sources:
        raise InputError(f"Nothing to adapt to in {place}: expected images, or a text in each line.")
    names = [str(number) for number, _ in enumerate(sources, start=1)]
    labels = np.full(len(sources), NO_LABEL, np.int32)
    return Records(list(sources), names, labels, [""] * len(sources), tuple(class_names))
