"""Where data are that a user points at, and of which form: the same answer for images and for texts."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from tl_keras.data.examples.catalogue import EXAMPLES, example_path
from tl_keras.data.reading.folders import prepared_versions
from tl_keras.data.reading.table_cells import TABLE_SUFFIXES
from tl_keras.data.wording import printable
from tl_keras.errors import InputError

TFDS_PREFIX = "tfds:"


@dataclass(frozen=True)
class Place:
    """Where data are.

    Attributes:
        form: "table", "folder", "tfds" (a name for TensorFlow Datasets) or "prepared" (a folder that it has made).
        where: the `Path`; of "tfds" the name, a str.
    """

    form: str
    where: Path | str


def find_place(path, examples, *, things, multi_label=False):
    """Finds out what a path means.

    Args:
        path: the name of an example, a path, or "tfds:NAME".
        examples: the names of the shipped examples that are of the right kind.
        things: what is wanted, for messages, such as "images".
        multi_label: an example belongs to any number of classes, which only tables can say.

    Returns:
        `Place`.

    Raises:
        InputError: nothing is there, or not of this kind; the message says why.
    """
    name = str(path)
    if name in EXAMPLES and name not in examples:
        raise InputError(
            f"The example {name!r} does not hold {things}: give --data.path {' or '.join(examples)}, data of your own, "
            f"or another --task (a folder of that name is ./{name})."
        )
    place = example_path(name) if name in examples else Path(path)
    # The functions of os.path take no name for too long or too strange to say that nothing is there.
    is_table = place.suffix.lower() in TABLE_SUFFIXES and os.path.isfile(place)
    if multi_label and not is_table:
        raise InputError(
            f"data.multi_label needs a table whose label column names several classes, got {name!r}: give a .csv, "
            ".tsv, .jsonl or .parquet file, or turn multi_label off."
        )
    if is_table:
        return Place("table", place)
    if name.startswith(TFDS_PREFIX):
        return Place("tfds", name.removeprefix(TFDS_PREFIX))
    if not os.path.isdir(place):
        raise _not_there(name, place, examples)
    if not os.access(place, os.R_OK | os.X_OK):
        raise InputError(f"Cannot read the folder {printable(name)}: no permission; check its rights.")
    return Place("prepared" if prepared_versions(place) else "folder", place)


def _not_there(name, place, examples):
    if os.path.isfile(place):
        return InputError(
            f"Cannot use the file {printable(name)} as data: expected a folder or a table "
            f"({' '.join(sorted(TABLE_SUFFIXES))}); give the folder that holds the class folders."
        )
    parent = place.parent
    beside = os.listdir(parent) if os.path.isdir(parent) and os.access(parent, os.R_OK) else []
    near = difflib.get_close_matches(place.name, [*beside, *examples], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "check --data.path."
    return InputError(
        f"Nothing found at {name!r}: expected a folder of class folders, a table, tfds:NAME, or a shipped example "
        f"({', '.join(examples)}); {hint}"
    )
