"""Folders of .txt files: class folders, or train/ and test/ as in the IMDB reviews."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tqdm import tqdm

from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.folders import read_class_folders
from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.data.texts.checks import check_texts
from tl_keras.system.stored.files import read_bytes

TEXT_SUFFIXES = frozenset((".txt",))

# The IMDB reviews keep their unlabelled texts in folders of this name.
_UNLABELLED = ("unsup",)


def read_text_folders(root):
    """Reads texts in class folders, or in train/, val(idation)/ and test/ with class folders in each.

    Args:
        root: the folder that contains them. Class folders named "unsup" are left out, with a note.

    Returns:
        `Records`; sources are the texts, names the paths relative to `root`, labels int32 (n,).

    Raises:
        InputError: the folder is missing, has a single class or a class without texts, or texts are empty, damaged or
            not UTF-8.
    """
    records = read_class_folders(root, "texts", TEXT_SUFFIXES, ignored=_UNLABELLED)
    faults = Faults(f"The folder {root}")
    texts = read_text_files(records.sources, records.names, faults)
    faults.raise_if_any()
    return replace(records, sources=texts)


def read_text_files(paths, names, faults):
    """Reads files that hold a text each.

    Args:
        paths: list of paths.
        names: list of their names for messages.
        faults: `Faults` that collects files that cannot be read or used.

    Returns:
        List of str.
    """
    # More threads than cores: with many small files, most of the time is spent waiting for the disk.
    with ThreadPoolExecutor(4 * (os.cpu_count() or 1)) as pool:
        # disable=None: no bar if stderr is not a terminal.
        texts = list(tqdm(pool.map(_read, paths), "Reading texts", len(paths), unit="text", disable=None))
    for name, text in zip(names, texts, strict=True):
        if isinstance(text, _Unreadable):
            faults.add("a text that cannot be read", f"{name} ({text})", "save it as UTF-8, or remove it")
    check_texts(names, ["?" if isinstance(text, _Unreadable) else text for text in texts], faults)
    return texts


class _Unreadable(str):
    """Reason why a file could not be read, in place of its text."""


def _read(path):
    if os.path.exists(path) and not os.path.isfile(path):
        # Reading a pipe would block.
        return _Unreadable("not a file")
    try:
        return decode_utf8(read_bytes(path)).strip()
    except OSError as error:
        return _Unreadable(error.strerror)
    except NotUtf8 as error:
        return _Unreadable(error.reason)
