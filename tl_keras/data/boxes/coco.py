"""Reader of COCO's JSON format (Lin et al. 2014, cocodataset.org/#format-data), one file or one for each split."""

import json
import math
import os
import re
from collections import Counter

from tl_keras.data.boxes.checks import Annotations, BoxAnnotation, ImageAnnotation, to_number
from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.relative_names import relative_names
from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.data.records import split_of_name
from tl_keras.data.wording import as_class_name, excerpt, first_of, printable
from tl_keras.errors import InputError, counted
from tl_keras.system.stored.files import read_bytes

_KEYS = ("images", "annotations", "categories")
_NUM_SEARCHED_BYTES = 100_000


def find_coco_files(folder):
    """Finds COCO files in a folder and in its annotations/, train/, validation/ and test/.

    Args:
        folder: `Path`.

    Returns:
        Sorted list of `Path`; only files "instances_…" if there are any, because the others have other annotations.
    """
    folders = [folder, folder / "annotations", *(path for path in folder.iterdir() if split_of_name(path.name))]
    files = sorted(path for folder in folders for path in folder.glob("*.json") if not path.name.startswith("."))
    return [path for path in files if path.name.startswith("instances_")] or files


def looks_like_coco(file):
    """Returns True if one of COCO's keys is near the start or the end of a file.

    Args:
        file: `Path`.

    Returns:
        bool; False if the file cannot be read.
    """
    try:
        with open(file, "rb") as stream:
            text = stream.read(_NUM_SEARCHED_BYTES)
            stream.seek(max(0, os.path.getsize(file) - _NUM_SEARCHED_BYTES))
            text += stream.read(_NUM_SEARCHED_BYTES)
    except OSError:
        return False
    return any(f'"{key}"'.encode() in text for key in _KEYS)


def read_coco(files, box_format="xywh"):
    """Reads COCO files.

    Images are searched in the folder of the file, in its images/ and in the same two places one level up; in each also
    in a subfolder named like the last word of the file's name ("train2017"). The last parts of a path from another
    machine are searched there too. The name of the file or of its folder may give the split. Categories are numbered by
    ascending ids, which may have gaps or be texts; one that no annotation uses may repeat a name. Objects without
    `bbox` get the extent of their polygons. Boxes of crowds (iscrowd 1) are left out with a note.

    Args:
        files: list of `Path`, at least one.
        box_format: "xywh", the format of COCO, or "xyxy", which some tools write.

    Returns:
        `Annotations`.

    Raises:
        InputError: a file is not of this format.
    """
    faults = Faults(f"{'The file' if len(files) == 1 else 'The files'} {first_of(files, 3)}")
    images, class_names, num_crowds = [], {}, 0
    for file in files:
        content = _read_json(file)
        if not content["images"]:
            faults.add("a file without images", file.name, "remove it, or add its images")
        used = {_key(entry.get("category_id")) for entry in content["annotations"]}
        names = _category_names(content["categories"], used, faults)
        class_names |= dict.fromkeys(names.values())
        images_of_file, refused = _images(file, content["images"], faults)
        num_crowds += _add_boxes(content["annotations"], images_of_file, refused, names, box_format, faults)
        images += images_of_file.values()
    notes = [f"Left out {counted(num_crowds, 'box')} of crowds."] if num_crowds else []
    return Annotations(images, faults, tuple(class_names), box_format, notes)


def _read_json(file):
    try:
        content = json.loads(decode_utf8(read_bytes(file)))
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror}; check its path and rights.") from error
    except (NotUtf8, ValueError, RecursionError) as error:
        raise InputError(f"The file {file} is not JSON ({error}): expected annotations in COCO's format.") from error
    missing = [key for key in _KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        received = (
            f"the keys {', '.join(map(excerpt, list(content)[:8]))}" if isinstance(content, dict) else "no object"
        )
        raise InputError(
            f"The file {file} is not in COCO's format: got {received}, expected lists called {', '.join(_KEYS)}; "
            "export it as COCO, or give --data.path a folder of another format."
        )
    invalid = [key for key in _KEYS if not all(isinstance(entry, dict) for entry in content[key])]
    if invalid:
        raise InputError(f"The file {file} is not in COCO's format: {first_of(invalid)} must contain objects only.")
    return content


def _category_names(categories, used, faults):
    """Returns {id: name} by ascending id, without unused categories of a name that a used one has."""
    keys = [_key(entry.get("id")) for entry in categories]
    names = [as_class_name(str(entry.get("name"))) for entry in categories]
    for number, count in Counter(keys).items():
        if count > 1 and number is not None:
            faults.add("a duplicate category id", f"id {number}")
    for entry, number in zip(categories, keys, strict=True):
        if not isinstance(entry.get("name"), str | int) or not str(entry["name"]).strip():
            faults.add("a category without a name", f"id {number}")
    if None in keys:
        faults.add("a category without an id", str(keys.count(None)))
    counts = Counter(names)
    # Roboflow's exports have a root category, which no annotation uses, with the name of a class.
    names = {
        number: name
        for number, name in zip(keys, names, strict=True)
        if number is not None and (counts[name] == 1 or number in used)
    }
    for name, count in Counter(names.values()).items():
        if count > 1:
            faults.add("a duplicate category name", name)
    return dict(sorted(names.items(), key=lambda item: (isinstance(item[0], str), item[0])))


def _images(file, entries, faults):
    """Returns {id: ImageAnnotation}, and the set of the ids of images that were refused."""
    images, refused, folders, split = {}, set(), _image_folders(file), _split(file)
    for entry in entries:
        number, name = _key(entry.get("id")), entry.get("file_name")
        if number is None or not isinstance(name, str) or not name or "\0" in name:
            faults.add("an image without id or file_name", f"id {number}")
        elif number in images:
            faults.add("a duplicate image id", f"id {number}")
        elif (found := _find_image(folders, name)) is None:
            faults.add("an image path that leads out of its folder", printable(name))
        else:
            size = tuple(to_number(entry.get(side)) for side in ("height", "width"))
            size = tuple(map(round, size)) if all(0 < side < math.inf for side in size) else None
            path, name = found[0], printable(f"{split}/{found[1]}" if split else found[1])
            images[number] = ImageAnnotation(path, name, split, size)
            continue
        refused.add(number)
    return images, refused


def _image_folders(file):
    last_word = file.stem.split("_")[-1]
    roots = [file.parent, file.parent.parent]
    return [root / part for root in roots for part in ("", "images", last_word, f"images/{last_word}")]


def _find_image(folders, name):
    """Returns the path of an image, and its name without the folders of another machine; None if it leads outwards."""
    candidates = relative_names(name)
    for candidate in candidates:
        for folder in folders:
            if os.path.isfile(path := str(folder / candidate)):
                # Most images are in one folder, which is tried first for the next image.
                folders.insert(0, folders.pop(folders.index(folder)))
                return path, candidate
    # The missing file is reported later, by its name.
    return (str(folders[0] / candidates[0]), candidates[0]) if candidates and candidates[0] == name else None


def _split(file):
    words = re.findall("[a-z]+", file.stem.lower())
    return next(filter(None, map(split_of_name, [*reversed(words), file.parent.name])), "")


def _add_boxes(annotations, images, refused, names, box_format, faults):
    """Adds the boxes to the images; returns the number of boxes of crowds, which are left out."""
    seen, num_crowds = set(), 0
    for row, entry in enumerate(annotations, start=1):
        number, image, category = (_key(entry.get(name)) for name in ("id", "image_id", "category_id"))
        place = f"number {row}" if number is None else f"annotation {number}"
        if number in seen:
            faults.add("a duplicate annotation id", place)
        elif image not in images:
            # Boxes of a refused image are no further problems.
            if image is None or image not in refused:
                faults.add("an annotation of an unknown image id", f"{place} (image {image})")
        elif category not in names:
            faults.add("an annotation of an unknown category id", f"{place} (category {category})")
        elif to_number(entry.get("iscrowd") or 0) not in (0, 1):
            faults.add("an annotation whose iscrowd is not 0 or 1", place)
        elif to_number(entry.get("iscrowd") or 0):
            num_crowds += 1
        else:
            images[image].boxes.append(BoxAnnotation(_numbers(entry, box_format), names[category], place))
        seen |= {number} - {None}
    return num_crowds


def _key(number):
    """Returns an id, "7" and 7.0 as 7; None if its type is invalid."""
    if isinstance(number, str) and number.strip().isdecimal() or isinstance(number, float) and number.is_integer():
        return int(number)
    return number if isinstance(number, int | float | str) else None


def _numbers(entry, box_format):
    """Returns the four numbers of an annotation, NaN where it has none."""
    box = entry.get("bbox") or _extent(entry.get("segmentation"), box_format)
    if not (isinstance(box, list) and len(box) == 4):
        return (math.nan,) * 4
    return tuple(map(to_number, box))


def _extent(polygons, box_format):
    """Returns the box around polygons of x, y, x, y, …; None if there are no polygons."""
    if not isinstance(polygons, list) or not all(isinstance(polygon, list) for polygon in polygons):
        return None
    xs = [to_number(number) for polygon in polygons for number in polygon[::2]]
    ys = [to_number(number) for polygon in polygons for number in polygon[1::2]]
    if not ys:
        return None
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return [left, top, right, bottom] if box_format == "xyxy" else [left, top, right - left, bottom - top]
