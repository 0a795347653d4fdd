"""Reader of YOLO's format: data.yaml, folders of images, and a text file of labels for each image."""

import os
import re
from pathlib import Path

import yaml

from tl_keras.data.boxes.checks import Annotations, BoxAnnotation, ImageAnnotation
from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.folders import list_images
from tl_keras.data.reading.relative_names import relative_names
from tl_keras.data.wording import MAX_ITEM, as_class_name, excerpt, one_line, printable
from tl_keras.errors import InputError, counted
from tl_keras.system.plain_yaml import load_yaml
from tl_keras.system.stored.files import read_text

_SPLIT_KEYS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}


def find_yolo_file(folder):
    """Finds the YAML file of a folder that names classes.

    Args:
        folder: path of the folder.

    Returns:
        `Path` of the file, data.yaml before others; None if no file names classes.
    """
    files = sorted((*Path(folder).glob("*.yaml"), *Path(folder).glob("*.yml")), key=lambda file: file.stem != "data")
    return next((file for file in files if re.search(r"^['\"]?names['\"]?\s*:", _text(file), re.MULTILINE)), None)


def find_yolo_file_above(folder):
    """Finds the YAML file of a data set of which a folder is one split, such as test/ or images/test/.

    Args:
        folder: path of the folder.

    Returns:
        `Path` of the file, at most two levels up; None without a file or without labels in the folder.
    """
    parents = Path(os.path.abspath(folder)).parents[:2]
    file = next(filter(None, map(find_yolo_file, parents)), None)
    return file if any(os.path.isfile(_label_file(path)) for path in list_images(folder)) else None


def read_yolo(file, folder=None, is_trusted=False):
    """Reads a YOLO data set.

    The labels of images/…/a.jpg are in labels/…/a.txt, one line per object: the number of the class, then centre x,
    centre y, width and height as fractions of the image, or the corners of an outline, which becomes its box. With
    `kpt_shape`, keypoints follow the four numbers, and are ignored. An image without such a file has no objects.

    Args:
        file: `Path` of data.yaml, with `names`, `train`, and optionally `val`, `test`, `path` and `kpt_shape`.
        folder: path of a folder whose images are read in place of those that the file names.
        is_trusted: whether the file may name images outside of its folder, as its user named it; a note says where.

    Returns:
        `Annotations`; the splits are undecided if the file gives only one. A note names a missing folder of `test`,
        which exports often name without having one.

    Raises:
        InputError: the YAML file or a folder of images cannot be used.
    """
    description, class_names = _description(file)
    faults, notes = Faults(f"The data of {file}"), []
    root, num_keypoint_cells = _root(file, description), _num_keypoint_cells(file, description)
    paths_of_keys = (
        {"": list_images(folder)}
        if folder
        else {
            key: _images(file, root, key, value, notes, is_trusted)
            for key, value in description.items()
            if key in _SPLIT_KEYS and value
        }
    )
    paths_of_keys = {key: paths for key, paths in paths_of_keys.items() if paths}
    if not paths_of_keys:
        raise InputError(f"The file {file} names no images: expected train, and perhaps val and test, with folders.")
    images, base = [], _base(file, [path for paths in paths_of_keys.values() for path in paths], notes)
    for key, paths in paths_of_keys.items():
        split = _SPLIT_KEYS[key] if len(paths_of_keys) > 1 else ""
        for path in paths:
            name = printable(Path(os.path.relpath(path, base)).as_posix())
            boxes = _boxes(path, class_names, num_keypoint_cells, base, faults)
            images.append(ImageAnnotation(path, name, split, None, boxes))
    return Annotations(images, faults, tuple(class_names.values()), "relative_center_xywh", notes)


def _text(file):
    try:
        return read_text(file, "utf-8-sig") if os.path.isfile(file) else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _description(file):
    """Returns the content of the YAML file and {number: class name}."""
    try:
        description = load_yaml(read_text(file, "utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"Cannot read {file} as YAML: {one_line(error)}; check the file.") from error
    names = description.get("names") if isinstance(description, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if isinstance(names, dict):
        # Some tools quote the numbers.
        numbers = [int(key) if str(key).isdecimal() else key for key in names]
        if len(set(numbers)) < len(names):
            raise InputError(f"The file {file} has a number twice in `names`: give each class its own number.")
        names = dict(zip(numbers, names.values(), strict=True))
    if not isinstance(names, dict) or not names or not all(isinstance(number, int) for number in names):
        raise InputError(
            f"The file {file} names no classes: expected `names`, a list such as [cat, dog], or numbers with names."
        )
    names = {number: as_class_name(str(names[number])) for number in sorted(names)}
    if len(set(names.values())) < len(names):
        raise InputError(f"The file {file} has a name twice in `names`: give each class its own name.")
    return description, names


def _num_keypoint_cells(file, description):
    """Returns how many numbers of keypoints follow each box; 0 without keypoints."""
    shape = description.get("kpt_shape")
    if shape is None:
        return 0
    if not (isinstance(shape, list) and len(shape) == 2 and all(isinstance(side, int) and side > 0 for side in shape)):
        raise InputError(
            f"The file {file} gives kpt_shape: {shape}, expected two numbers, such as [17, 3]; correct it."
        )
    return shape[0] * shape[1]


def _root(file, description):
    root = file.parent / str(description.get("path") or "")
    # Files from another machine may name a folder that exists only there.
    return root if os.path.isdir(root) else file.parent


def _base(file, paths, notes):
    """Returns the folder that names of images are relative to, and adds a note on images outside of the file's."""
    if all(map(_inside(file), paths)):
        return file.parent
    base = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    notes.append(f"{file.name} names images outside of its own folder: they are read from {base}.")
    return base


def _images(file, root, key, value, notes, is_trusted):
    """Lists the images of a split in folders, or in text files with a path per line; none of a missing `test`."""
    paths = []
    for part in value if isinstance(value, list) else [value]:
        # Roboflow writes ../train/images for train/images.
        candidates = [root / str(part), root / re.sub(r"^(\.\./)+", "", str(part))]
        source = next(filter(os.path.exists, candidates), None)
        if source is None and key == "test":
            notes.append(f"{file.name} gives test: {part}, which is missing: the data have no test split of their own.")
            return []
        if source is None:
            missing = excerpt(str(candidates[0]), MAX_ITEM)
            raise InputError(
                f"The file {file} gives {key}: {excerpt(str(part))}, but {missing} is missing; correct the path."
            )
        if not is_trusted:
            _require_inside(source, file, key)
        if os.path.isdir(source):
            paths += list_images(source)
        elif source.suffix != ".txt":
            raise InputError(
                f"The file {file} gives {key}: {excerpt(str(part))}, expected a folder of images or a text file with a "
                "path per line, *.txt; correct the path."
            )
        else:
            lines = [line.strip() for line in _text(source).splitlines() if line.strip()]
            paths += [_listed_image(line, (source.parent, root)) for line in lines]
    if not paths:
        raise InputError(f"The file {file} gives {key}: {excerpt(str(value))}, which has no images; correct the path.")
    for path in () if is_trusted else paths:
        _require_inside(path, file, key)
    return [os.path.normpath(path) for path in paths]


def _require_inside(path, file, key):
    """Refuses a path out of the folder, with which the file of a stranger could name private images."""
    if not _inside(file)(path):
        raise InputError(
            f"The file {file} gives {key}: {excerpt(str(path), MAX_ITEM)}, which is outside of its folder: if you "
            "trust the file, give its own path as --data.path in place of the folder; then this is allowed, and noted."
        )


def _inside(file):
    """Returns a function that checks whether a path lies in the folder of a file."""
    folder = os.path.join(os.path.abspath(file.parent), "")
    return lambda path: os.path.join(os.path.abspath(path), "").startswith(folder)


def _listed_image(line, folders):
    """Returns the path of an image in a list, whose last parts are searched if it comes from another machine."""
    path = folders[0] / line
    if not os.path.isfile(path):
        here = (folder / name for name in relative_names(line) for folder in folders)
        path = next(filter(os.path.isfile, here), path)
    return str(path)


def _label_file(path):
    parts = Path(path).parts
    indices = [index for index, part in enumerate(parts[:-1]) if part == "images"]
    if indices:
        parts = (*parts[: indices[-1]], "labels", *parts[indices[-1] + 1 :])
    return Path(*parts).with_suffix(".txt")


def _boxes(path, class_names, num_keypoint_cells, folder, faults):
    file = _label_file(path)
    boxes = []
    name = printable(Path(os.path.relpath(file, folder)).as_posix())
    try:
        lines = read_text(file, "utf-8-sig").splitlines() if os.path.isfile(file) else ()
    except (OSError, UnicodeDecodeError) as error:
        faults.add("a file of labels that cannot be read", f"{name} ({one_line(error)})", "save it as UTF-8")
        return []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place = f"{name} line {number}"
            box = _box(line.split(), class_names, num_keypoint_cells, place, faults)
            boxes += [box] if box else []
    return boxes


def _box(cells, class_names, num_keypoint_cells, place, faults):
    """Returns the `BoxAnnotation` of a line; None, after adding a fault, if the line is invalid."""
    try:
        label, *numbers = [float(cell) for cell in cells]
    except ValueError:
        faults.add("a line that is not all numbers", place)
        return None
    if label not in class_names:
        faults.add("a class number that data.yaml does not name", f"{place} ({cells[0]})")
        return None
    if num_keypoint_cells and len(numbers) not in (4, 4 + num_keypoint_cells):
        expected = f"a line without the {counted(num_keypoint_cells, 'number')} of kpt_shape after its box"
        faults.add(expected, f"{place} ({counted(len(numbers), 'number')} after the class)")
        return None
    if len(numbers) == 4 or num_keypoint_cells:
        return BoxAnnotation(tuple(numbers[:4]), class_names[int(label)], place)
    if len(numbers) < 6 or len(numbers) % 2:
        faults.add("a line with neither four numbers nor an outline after the class", place)
        return None
    left, right, top, bottom = min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])
    center = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return BoxAnnotation(center, class_names[int(label)], place)
