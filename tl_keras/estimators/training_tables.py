"""Tables that a training reads, of examples in memory and their labels."""

import os

from tl_keras.errors import InputError, quoted
from tl_keras.system.json_files import format_line

TABLE, IMAGES = "data.jsonl", "images"


def write_images(folder, paths, labels):
    """Writes a table of links to images.

    Args:
        folder: `pathlib.Path` of an existing folder.
        paths: list of n paths of image files.
        labels: list of n str.

    Returns:
        `pathlib.Path` of the table.

    Raises:
        InputError: an example is no path of a file.
    """
    (folder / IMAGES).mkdir()
    rows = []
    for number, (path, label) in enumerate(zip(paths, labels, strict=True)):
        if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
            raise InputError(f"X[{number}] is {quoted(path)}: expected the path of an image file.")
        # A table names files in its own folder only; the suffix is part of how an image is read.
        name = f"{IMAGES}/{number:06d}{os.path.splitext(path)[1].lower()}"
        os.symlink(os.path.abspath(path), folder / name)
        rows.append({"path": name, "label": label})
    return _write(folder, rows)


def write_texts(folder, texts, labels):
    """Writes a table of texts.

    Args:
        folder: `pathlib.Path` of an existing folder.
        texts: list of n str.
        labels: list of n str.

    Returns:
        `pathlib.Path` of the table.

    Raises:
        InputError: an example is no text.
    """
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"X[{number}] is {quoted(text)}: expected a text.")
    return _write(folder, [{"text": str(text), "label": label} for text, label in zip(texts, labels, strict=True)])


def _write(folder, rows):
    (folder / TABLE).write_text("".join(map(format_line, rows)), encoding="utf-8")
    return folder / TABLE
