"""Texts in folders, a .txt file each: one folder per class, or train/ and test/ as in the IMDB reviews."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.folders import read_class_folders
from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.data.texts.checks import check_texts

TEXT_SUFFIXES = frozenset((".txt",))

# What the IMDB reviews call the texts whose label nobody knows.
_UNLABELLED = ("unsup",)


def read_text_folders(root):
    """Reads the texts of a folder of class folders, or of a folder with train/, val(idation)/ and test/.

    Args:
        root: the folder. Class folders of the name "unsup" are left out, with a note.

    Returns:
        `Records`; sources are the texts, names the paths relative to `root`, labels int32 (n,).

    Raises:
        InputError: the folder is missing, has a single class or a class without texts, or texts are empty, damaged or
            not UTF-8.
    """
    records = read_class_folders(root, "texts", TEXT_SUFFIXES, ignored=_UNLABELLED)
    # Many small files: most of the time goes into waiting for the disk.
    with ThreadPoolExecutor(4 * (os.cpu_count() or 1)) as pool:
        # disable=None: no bar where stderr is not a terminal.
        bar = tqdm(pool.map(_read, records.sources), "Reading texts", len(records), unit="text", disable=None)
        found = list(bar)
    faults = Faults(f"The folder {root}")
    for name, text in zip(records.names, found, strict=True):
        if isinstance(text, _Unread):
            faults.add("a text that cannot be read", f"{name} ({text})", "save it as UTF-8, or remove it")
    check_texts(records.names, ["?" if isinstance(text, _Unread) else text for text in found], faults)
    faults.raise_if_any()
    return replace(records, sources=found)


class _Unread(str):
    """Why a file could not be read, in place of its text."""


def _read(path):
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe would let itself be waited for.
        return _Unread("not a file")
    try:
        return decode_utf8(Path(path).read_bytes()).strip()
    except OSError as error:
        return _Unread(error.strerror)
    except NotUtf8 as error:
        return _Unread(error.reason)
