"""Location and form of the data that a user names, for all kinds of data."""

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
class Location:
    """Location of data and their form.

    Attributes:
        form: "table", "folder", "tfds" (a data set of TensorFlow Datasets) or "prepared" (a folder that it has
            prepared).
        path: the `Path`; if the form is "tfds", the name of the data set, a str.
    """

    form: str
    path: Path | str


def find_location(path, examples, *, things, table_setting=None):
    """Finds the data that a path or name stands for.

    Args:
        path: the name of an example, a path, or "tfds:NAME".
        examples: names of the shipped examples of the right kind.
        things: the kind of data for messages, such as "images".
        table_setting: name of a setting that only tables support, such as "data.multi_label".

    Returns:
        `Location`.

    Raises:
        InputError: the data are missing, unreadable or of another kind; the message says why.
    """
    name = str(path)
    if name in EXAMPLES and name not in examples:
        raise InputError(
            f"The example {name!r} does not hold {things}: give --data.path {' or '.join(examples)}, data of your own, "
            f"or another --task (a folder of that name is ./{name})."
        )
    path = example_path(name) if name in examples else Path(path)
    # Unlike methods of Path, functions of os.path return False for names that are too long or contain NUL.
    is_table = path.suffix.lower() in TABLE_SUFFIXES and os.path.isfile(path)
    if table_setting and not is_table:
        raise InputError(
            f"{table_setting} needs a table, got {name!r}: give a .csv, .tsv, .jsonl or .parquet file, or leave it out."
        )
    if is_table:
        return Location("table", path)
    if name.startswith(TFDS_PREFIX):
        return Location("tfds", name.removeprefix(TFDS_PREFIX))
    if not os.path.isdir(path):
        raise _not_found(name, path, examples)
    if not os.access(path, os.R_OK | os.X_OK):
        raise InputError(f"Cannot read the folder {printable(name)}: no permission; check its rights.")
    return Location("prepared" if prepared_versions(path) else "folder", path)


def _not_found(name, path, examples):
    if os.path.isfile(path):
        return InputError(
            f"Cannot use the file {printable(name)} as data: expected a folder or a table "
            f"({' '.join(sorted(TABLE_SUFFIXES))}); give the folder that contains the class folders."
        )
    parent = path.parent
    siblings = os.listdir(parent) if os.path.isdir(parent) and os.access(parent, os.R_OK) else []
    near = difflib.get_close_matches(path.name, [*siblings, *examples], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "check --data.path."
    return InputError(
        f"Nothing found at {name!r}: expected a folder of class folders, a table, tfds:NAME, or a shipped example "
        f"({', '.join(examples)}); {hint}"
    )
