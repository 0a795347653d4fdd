"""Files in folders: one folder per class, or train/ validation/ test/ with one folder per class in each."""

import os
from pathlib import Path

import numpy as np

from tl_keras.data.listing import first_of
from tl_keras.data.records import Records, sorted_class_names, split_of_name
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

    Hidden files and folders, `__MACOSX` and files with other suffixes are passed over. Links are followed, but each
    real directory is entered once, so that a loop of links ends and no file is listed twice.

    Args:
        folder: the folder to start from; it is entered in any case.
        suffixes: set of the endings to list, lower case with the dot.
        seen: real paths of directories not to enter below `folder`.

    Returns:
        A list of path strings, sorted folder by folder.

    Raises:
        InputError: a folder is missing or cannot be read.
    """
    entered = {os.path.realpath(folder), *seen}
    listed = []
    waiting = [folder]
    while waiting:
        folders, files = _entries(waiting.pop())
        listed += [entry.path for entry in files if Path(entry.name).suffix.lower() in suffixes]
        # Reversed, for the last one appended is the first one popped.
        for entry in reversed(folders):
            real = os.path.realpath(entry.path)
            if real not in entered:
                entered.add(real)
                waiting.append(entry.path)
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
        InputError: the folder is missing, empty, has a single class, or has a class folder without such files.
    """
    every_folder = _class_folders(root)
    class_folders = [folder for folder in every_folder if folder[1] not in ignored]
    _require_classes(root, class_folders, things)
    class_names = sorted_class_names(name for _, name, _ in class_folders)
    barred = {os.path.realpath(path) for *_, path in every_folder} | {os.path.realpath(root)}
    paths, labels, splits, empty = [], [], [], []
    for split, name, path in class_folders:
        files = list_files(path, listed_suffixes or suffixes, seen=barred)
        paths += files
        labels += [class_names.index(name)] * len(files)
        splits += [split] * len(files)
        if not files:
            empty.append(os.path.relpath(path, root))
    if empty:
        raise InputError(
            f"No {things} in class folder {first_of(empty)} of {root}: expected at least one file "
            f"({' '.join(sorted(suffixes))}) in each; add some, or remove the folder."
        )
    names = [Path(path).relative_to(root).as_posix() for path in paths]
    left_out = [os.path.relpath(path, root) for _, name, path in every_folder if name in ignored]
    notes = (f"Left out, for it has no labels: {first_of(left_out)}.",) if left_out else ()
    return Records(paths, names, np.array(labels, np.int32), splits, class_names, notes)


def _entries(folder):
    """Returns the folders and the files of a folder, each sorted by name, without hidden ones and leftovers."""
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"Cannot read the folder {folder}: {error.strerror}; check its path and rights.") from error
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
