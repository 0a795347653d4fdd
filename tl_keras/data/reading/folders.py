"""Files in class folders, or in train/, validation/ and test/ with class folders in each."""

import os
from pathlib import Path

import numpy as np

from tl_keras.data.data_errors import Faults
from tl_keras.data.records import Records, sorted_class_names, split_of_name
from tl_keras.data.wording import as_class_name, first_of, lookalikes, printable
from tl_keras.errors import InputError, counted, quoted

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif"))
# Formats that Pillow cannot read; listed so that they are reported as bad files instead of silently skipped.
_UNSUPPORTED_SUFFIXES = frozenset((".heic", ".heif", ".jxl"))
_LISTED_SUFFIXES = IMAGE_SUFFIXES | _UNSUPPORTED_SUFFIXES
_SYSTEM_FILES = frozenset(("__macosx", "thumbs.db"))


def list_images(folder):
    """Lists the image files of a folder and its subfolders, as `list_files` does."""
    return list_files(folder, _LISTED_SUFFIXES)


def list_files(folder, suffixes, *, seen=()):
    """Lists the files of a folder and its subfolders that have certain suffixes.

    Hidden files and folders and `__MACOSX` are skipped. Links are followed, also out of the folder, but each real
    directory is visited once, so that loops of links end and no file is listed twice. No file is opened: broken links
    and pipes are listed, and their reader must refuse them.

    Args:
        folder: the folder to start from; it is always visited.
        suffixes: set of the suffixes to list, lower case with the dot.
        seen: real paths of directories below `folder` to skip.

    Returns:
        List of path strings, sorted folder by folder.

    Raises:
        InputError: folders are missing or cannot be read; the message names them.
    """
    visited = {os.path.realpath(folder), *seen}
    paths, unreadable, stack = [], [], [folder]
    while stack:
        try:
            folders, files = _entries(stack.pop())
        except _UnreadableFolder as error:
            unreadable += error.places
            continue
        paths += [entry.path for entry in files if os.path.splitext(entry.name)[1].lower() in suffixes]
        # Reversed, because the last folder appended is the first one popped.
        for entry in reversed(folders):
            real = os.path.realpath(entry.path)
            if real not in visited:
                visited.add(real)
                stack.append(entry.path)
    if unreadable:
        raise _UnreadableFolder(unreadable)
    return paths


def prepared_versions(folder):
    """Lists data sets that TensorFlow Datasets has prepared in a folder or up to two levels below."""
    patterns = ("dataset_info.json", "*/dataset_info.json", "*/*/dataset_info.json")
    return sorted(
        info.parent
        for pattern in patterns
        for info in Path(folder).glob(pattern)
        if info.with_name("features.json").is_file()
    )


def read_folders(root):
    """Lists images in class folders, or in train/, val(idation)/ and test/ with class folders in each.

    Args:
        root: the folder that contains them.

    Returns:
        `Records` with int32 labels; the splits are those of the folders, or all "".

    Raises:
        InputError: the folder is missing, empty, has a single class, or has a class folder without images.
    """
    return read_class_folders(root, "images", IMAGE_SUFFIXES, _LISTED_SUFFIXES)


def read_class_folders(root, things, suffixes, listed_suffixes=None, ignored=()):
    """Lists files in class folders, or in train/, val(idation)/ and test/ with class folders in each.

    Args:
        root: the folder that contains them.
        things: the kind of files for messages, such as "images".
        suffixes: set of the suffixes to list, lower case with the dot.
        listed_suffixes: set of suffixes to list in place of `suffixes`, if it includes unsupported files that are to be
            reported later; None: `suffixes`.
        ignored: names of class folders to leave out, because their files have no label.

    Returns:
        `Records` whose sources are the paths of the files, with int32 labels; the splits are those of the folders, or
        all ""; notes name the folders that were left out and the files outside of class folders.

    Raises:
        InputError: the folder is missing, empty or has a single class; or class folders have no such files, cannot be
            read, or have names that look alike; the message names all of them.
    """
    root = os.fspath(root)
    all_folders = _class_folders(root)
    class_folders = [folder for folder in all_folders if folder[1] not in ignored]
    _require_classes(root, class_folders, things)
    class_names = sorted_class_names(as_class_name(name) for _, name, _ in class_folders)
    index = {name: label for label, name in enumerate(class_names)}
    seen = {os.path.realpath(path) for *_, path in all_folders} | {os.path.realpath(root)}
    paths, labels, splits, faults = [], [], [], Faults(f"The folder {printable(root)}")
    for split, name, path in class_folders:
        try:
            files = list_files(path, listed_suffixes or suffixes, seen=seen)
        except _UnreadableFolder as error:
            for place in error.places:
                faults.add("a folder that cannot be read", place, "check its rights")
            continue
        paths += files
        labels += [index[as_class_name(name)]] * len(files)
        splits += [split] * len(files)
        if not files:
            hint = f"add files ({' '.join(sorted(suffixes))}) or remove the folder"
            faults.add(f"no {things} in a class folder", printable(os.path.relpath(path, root)), hint)
    for names in lookalikes(class_names):
        faults.add("class names that look alike", names, "use one name for one class, or names that differ clearly")
    faults.raise_if_any()
    names = [printable(path[len(os.path.join(root, "")) :]) for path in paths]
    left_out = [os.path.relpath(path, root) for _, name, path in all_folders if name in ignored]
    notes = [f"Left out, for it has no labels: {first_of(left_out)}."] if left_out else []
    notes += _note_loose_files(root, all_folders, things, listed_suffixes or suffixes)
    return Records(paths, names, np.array(labels, np.int32), splits, class_names, tuple(notes))


class _UnreadableFolder(InputError):
    """Reports folders that cannot be read.

    Attributes:
        places: list of str, each folder with the reason.
    """

    def __init__(self, places):
        """Builds the message."""
        super().__init__(f"Cannot read the folder {first_of(places)}: check its path and rights.")
        self.places = places


def _entries(folder):
    """Returns the subfolders and files of a folder, sorted by name, without hidden and system files."""
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise _UnreadableFolder([f"{printable(os.fspath(folder))} ({error.strerror})"]) from error
    entries = [entry for entry in entries if not entry.name.startswith(".") and entry.name.lower() not in _SYSTEM_FILES]
    folders, files = [], []
    for entry in entries:
        (folders if _is_folder(entry) else files).append(entry)
    return folders, files


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:
        # A link that points to itself.
        return False


def _class_folders(root):
    """Returns (split, class name, path) of each class folder; the split is "" without split folders."""
    folders, _ = _entries(root)
    # A class may be called "train" too, but only a split folder contains class folders.
    split_folders = [entry for entry in folders if split_of_name(entry.name) and _entries(entry.path)[0]]
    if not any(split_of_name(entry.name) == "train" for entry in split_folders):
        return [("", entry.name, entry.path) for entry in folders]
    others = [entry.name for entry in folders if entry not in split_folders]
    if others:
        raise InputError(
            f"The folder {root} has train/ with class folders, and also {first_of(others)}: expected only train, "
            "validation and test with class folders in each; move the rest elsewhere."
        )
    return [
        (split_of_name(split.name), entry.name, entry.path)
        for split in split_folders
        for entry in _entries(split.path)[0]
    ]


def _note_loose_files(root, class_folders, things, suffixes):
    """Returns a sentence on files that lie beside the class folders, a list of at most one."""
    folders = sorted(
        {os.path.join(folder, "") for folder in (root, *(os.path.dirname(path) for *_, path in class_folders))}
    )
    files = [entry for folder in folders for entry in _entries(folder)[1]]
    paths = [entry.path for entry in files if os.path.splitext(entry.name)[1].lower() in suffixes]
    if not paths:
        return []
    thing, names = things.removesuffix("s"), [printable(os.path.relpath(path, root)) for path in paths]
    count = counted(len(paths), f"{thing} outside of class folders is", f"{things} outside of class folders are")
    return [f"{count} not used: {first_of(names)}."]


def _require_classes(root, class_folders, things):
    names = sorted({as_class_name(name) for _, name, _ in class_folders})
    if len(names) >= 2:
        return
    got = f"got one, {quoted(names[0])}" if names else "got none"
    raise InputError(
        f"Two or more class folders are needed in {root}, {got}: put the {things} of each class into a folder "
        "named after the class."
    )
