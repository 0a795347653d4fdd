"""Files in folders: one folder per class, or train/ validation/ test/ with one folder per class in each."""

import os
from pathlib import Path

import numpy as np

from tl_keras.data.data_errors import Faults
from tl_keras.data.records import Records, sorted_class_names, split_of_name
from tl_keras.data.wording import first_of, lookalikes, printable
from tl_keras.errors import InputError

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif"))
# Photographs that Pillow does not read: listed all the same, so that they are reported as bad and not passed over.
_FOREIGN_SUFFIXES = frozenset((".heic", ".heif", ".jxl"))
_LISTED_SUFFIXES = IMAGE_SUFFIXES | _FOREIGN_SUFFIXES
_LEFTOVERS = frozenset(("__macosx", "thumbs.db"))


def list_images(folder):
    """Lists the image files in a folder and below, as `list_files` does."""
    return list_files(folder, _LISTED_SUFFIXES)


def list_files(folder, suffixes, *, seen=()):
    """Lists the files of some kind in a folder and below.

    Hidden files and folders, `__MACOSX` and files with other suffixes are passed over. Links are followed, out of the
    folder too, but each real directory is entered once, so that a loop of links ends and no file is listed twice.
    Nothing is opened: a link that leads nowhere or a pipe is listed, for its reader to refuse.

    Args:
        folder: the folder to start from; it is entered in any case.
        suffixes: set of the endings to list, lower case with the dot.
        seen: real paths of directories not to enter below `folder`.

    Returns:
        A list of path strings, sorted folder by folder.

    Raises:
        InputError: folders are missing or cannot be read; the message names them.
    """
    entered = {os.path.realpath(folder)}
    listed, closed, waiting = [], [], [folder]
    while waiting:
        try:
            folders, files = _entries(waiting.pop())
        except _ClosedFolder as error:
            closed += error.places
            continue
        listed += [entry.path for entry in files if os.path.splitext(entry.name)[1].lower() in suffixes]
        # Reversed, for the last one appended is the first one popped.
        for entry in reversed(folders):
            real = os.path.realpath(entry.path)
            if real not in entered and real not in seen:
                entered.add(real)
                waiting.append(entry.path)
    if closed:
        raise _ClosedFolder(closed)
    return listed


def prepared_versions(folder):
    """Lists the folders, `folder` itself or up to two levels below, that TensorFlow Datasets has prepared."""
    patterns = ("dataset_info.json", "*/dataset_info.json", "*/*/dataset_info.json")
    return sorted(
        info.parent
        for pattern in patterns
        for info in Path(folder).glob(pattern)
        if info.with_name("features.json").is_file()
    )


def read_folders(root):
    """Finds the images of a folder of class folders, or of a folder with train/, val(idation)/ and test/.

    Args:
        root: the folder.

    Returns:
        `Records` with int32 labels; the splits are those of the folders, or all "".

    Raises:
        InputError: the folder is missing, empty, has a single class, or has a class folder without images.
    """
    return read_class_folders(root, "images", IMAGE_SUFFIXES, _LISTED_SUFFIXES)


def read_class_folders(root, things, suffixes, listed_suffixes=None, ignored=()):
    """Finds the files of a folder of class folders, or of a folder with train/, val(idation)/ and test/.

    Args:
        root: the folder.
        things: what the files are, for messages, such as "images".
        suffixes: set of the endings they have, lower case with the dot.
        listed_suffixes: more endings, of files that are listed all the same, to be reported later; None: no more.
        ignored: names of class folders that are none.

    Returns:
        `Records` whose sources are the paths of the files, with int32 labels; the splits are those of the folders, or
        all ""; a note names what was ignored.

    Raises:
        InputError: the folder is missing, empty, has a single class, or has class folders without such files, that
            cannot be read, or whose names look alike; the message names all of them.
    """
    root = os.fspath(root)
    every_folder = _class_folders(root)
    class_folders = [folder for folder in every_folder if folder[1] not in ignored]
    _require_classes(root, class_folders, things)
    class_names = sorted_class_names(printable(name) for _, name, _ in class_folders)
    index = {name: label for label, name in enumerate(class_names)}
    barred = {os.path.realpath(path) for *_, path in every_folder} | {os.path.realpath(root)}
    paths, labels, splits, faults = [], [], [], Faults(f"The folder {printable(root)}")
    for split, name, path in class_folders:
        try:
            files = list_files(path, listed_suffixes or suffixes, seen=barred)
        except _ClosedFolder as error:
            for place in error.places:
                faults.add("a folder that cannot be read", place, "check its rights")
            continue
        paths += files
        labels += [index[printable(name)]] * len(files)
        splits += [split] * len(files)
        if not files:
            hint = f"add files ({' '.join(sorted(suffixes))}) or remove the folder"
            faults.add(f"no {things} in a class folder", printable(os.path.relpath(path, root)), hint)
    for names in lookalikes(class_names):
        faults.add("class names that look alike", names, "give both folders one name, or names that differ")
    faults.raise_if_any()
    names = [printable(path[len(os.path.join(root, "")) :]) for path in paths]
    left_out = [os.path.relpath(path, root) for _, name, path in every_folder if name in ignored]
    notes = (f"Left out, for it has no labels: {first_of(left_out)}.",) if left_out else ()
    return Records(paths, names, np.array(labels, np.int32), splits, class_names, notes)


class _ClosedFolder(InputError):
    """Folders cannot be read.

    Attributes:
        places: list of str, which ones and why.
    """

    def __init__(self, places):
        """Makes the sentence."""
        super().__init__(f"Cannot read the folder {first_of(places)}: check its path and rights.")
        self.places = places


def _entries(folder):
    """Returns the folders and the files of a folder, each sorted by name, without hidden ones and leftovers."""
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise _ClosedFolder([f"{printable(os.fspath(folder))} ({error.strerror})"]) from error
    entries = [entry for entry in entries if not entry.name.startswith(".") and entry.name.lower() not in _LEFTOVERS]
    folders, files = [], []
    for entry in entries:
        (folders if _is_folder(entry) else files).append(entry)
    return folders, files


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself.
        return False


def _class_folders(root):
    """Returns (split, class name, path) of every class folder; split is "" where the folders name none."""
    folders, _ = _entries(root)
    # A class may be called "train" too; a split is told from it by the class folders that it holds.
    split_folders = [entry for entry in folders if split_of_name(entry.name) and _entries(entry.path)[0]]
    if not any(split_of_name(entry.name) == "train" for entry in split_folders):
        return [("", entry.name, entry.path) for entry in folders]
    others = [entry.name for entry in folders if entry not in split_folders]
    if others:
        raise InputError(
            f"The folder {root} has train/ with class folders, and beside it {first_of(others)}: expected only train, "
            "validation and test with class folders in each; move the rest elsewhere."
        )
    return [
        (split_of_name(split.name), entry.name, entry.path)
        for split in split_folders
        for entry in _entries(split.path)[0]
    ]


def _require_classes(root, class_folders, things):
    names = sorted({name for _, name, _ in class_folders})
    if len(names) >= 2:
        return
    got = f"got one, {names[0]!r}" if names else "got none"
    raise InputError(
        f"Two or more class folders are needed in {root}, {got}: put the {things} of each class into a folder that "
        "bears the name of the class."
    )
