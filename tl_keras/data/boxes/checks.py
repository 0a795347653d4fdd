"""Checks of annotated boxes: NaN, zero area, outside of the image, listed twice, or in another format."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tl_keras.data.boxes.formats import has_other_format
from tl_keras.data.boxes.geometry import box_areas, clip_boxes, to_xyxy
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.data_errors import Faults
from tl_keras.data.images.bad_files import add_bad_images
from tl_keras.data.images.sizes import upright_size
from tl_keras.data.records import sorted_class_names
from tl_keras.data.wording import first_of, lookalikes
from tl_keras.errors import counted, part_of, unknown_name

SKIP_BOX = "correct them, or leave these boxes out with --detection.on_bad_box skip"
SKIP_FILE = "provide the right files, or leave these images out with --data.on_bad_file skip"


class BoxAnnotation(NamedTuple):
    """Box of an annotation file, unchecked: four numbers, the class name, and its place in the file."""

    numbers: tuple[float, float, float, float]
    label: str
    place: str


@dataclass(frozen=True)
class ImageAnnotation:
    """Image of an annotation file, unchecked.

    Attributes:
        source: path, or encoded image (bytes).
        name: name in reports.
        split: "train", "validation", "test" or "".
        declared_size: height and width in the annotation file; None if it gives none.
        boxes: list of `BoxAnnotation`.
    """

    source: str | bytes
    name: str
    split: str = ""
    declared_size: tuple[int, int] | None = None
    boxes: list[BoxAnnotation] = field(default_factory=list)


@dataclass(frozen=True)
class Annotations:
    """Content of the annotation files of a data set, unchecked.

    Attributes:
        images: list of `ImageAnnotation`.
        faults: `Faults` with the problems of the files.
        class_names: class names in the order of their numbers; None: sorted.
        box_format: format of the boxes, one of `BOX_FORMATS`.
        notes: sentences for the user on boxes that the reader left out.
        skipped: (name, reason) of each file that cannot be read.
    """

    images: list[ImageAnnotation]
    faults: Faults
    class_names: tuple[str, ...] | None = None
    box_format: str = "xyxy"
    notes: list[str] = ()
    skipped: list[tuple[str, str]] = ()


def check_boxes(annotations, *, on_bad_box="error", on_bad_file="error"):
    """Checks all boxes and the headers of all images.

    Args:
        annotations: `Annotations`.
        on_bad_box: "error", or "skip" to leave out, with a note, boxes that are NaN, negative, of zero area or outside.
        on_bad_file: "error", or "skip" to leave out images that are missing or of another size, and annotation files
            that cannot be read.

    Returns:
        `BoxRecords` in the same order. Boxes that leave their image are clipped, and counted in a note. Boxes that an
        image lists twice, and classes without boxes, are left out with a note.

    Raises:
        InputError: there are problems; the message reports all of them.
    """
    for argument, received in {"detection.on_bad_box": on_bad_box, "data.on_bad_file": on_bad_file}.items():
        if received not in ("error", "skip"):
            raise unknown_name(argument, received, ("error", "skip"))
    faults, box_format = annotations.faults, annotations.box_format
    notes, skipped = list(annotations.notes), list(annotations.skipped)
    if on_bad_file == "error":
        for name, reason in skipped:
            faults.add(reason, name)
    images, sizes = _present_images(annotations.images, faults, on_bad_file, skipped)
    boxes, owners, labels, places = _flat(images)
    sizes_of_boxes = sizes[owners]
    if not has_other_format(boxes, sizes_of_boxes, box_format, faults):
        boxes, good = _good_boxes(boxes, sizes_of_boxes, box_format, places, faults, on_bad_box, notes)
    _raise_if_any(images, faults, on_bad_file)
    good = _without_repeats(boxes, owners, labels, good, notes)
    boxes, owners, labels = boxes[good].astype("float32"), owners[good], labels[good]
    class_names, labels = _numbered(labels, annotations.class_names, faults, notes)
    _raise_if_any(images, faults, on_bad_file)
    ends = np.searchsorted(owners, np.arange(1, len(images)))
    num_without = len(images) - len(set(owners.tolist()))
    if num_without:
        verbs = ("has no box; it is", "have no box; they are")
        notes.append(f"{part_of(num_without, len(images), 'image', verbs)} kept, as background.")
    return BoxRecords(
        sources=[image.source for image in images],
        names=[image.name for image in images],
        boxes=np.split(boxes, ends),
        labels=np.split(labels, ends),
        sizes=sizes,
        splits=[image.split for image in images],
        class_names=class_names,
        notes=tuple(notes),
        skipped=tuple(skipped),
    )


def to_number(text):
    """Converts a coordinate to float.

    Args:
        text: str, number or None.

    Returns:
        float; NaN if it is not a number.
    """
    try:
        return float(text)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _raise_if_any(images, faults, on_bad_file):
    """Raises all faults, together with images that decoding would refuse later."""
    if faults.places and on_bad_file == "error":
        add_bad_images([image.source for image in images if not isinstance(image.source, bytes)], faults)
    faults.raise_if_any()


def _present_images(images, faults, on_bad_file, skipped):
    """Returns the images that exist with the declared size, and their sizes, int32 (n, 2); 0 if unreadable."""
    seen = set()
    for image in images:
        if image.name in seen:
            faults.add("an image that is listed twice, or in two splits", image.name, "name each in one place")
        seen.add(image.name)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = list(pool.map(upright_size, [image.source for image in images]))
    present, sizes = [], []
    for image, size in zip(images, measured, strict=True):
        problem = _image_problem(image, size)
        if not problem:
            present.append(image)
            sizes.append(size or (0, 0))
        elif on_bad_file == "skip":
            description, place = problem
            skipped.append((image.name, description if place == image.name else f"{description}: {place}"))
        else:
            faults.add(*problem, SKIP_FILE)
    if not present and not faults.places:
        faults.add("no images with labels", "", "check --data.path")
    return present, np.array(sizes, np.int32).reshape(-1, 2)


def _image_problem(image, size):
    """Returns the problem of an image and its place; None if there is no problem."""
    if not isinstance(image.source, bytes) and not os.path.isfile(image.source):
        return "a missing image", image.name
    if size and image.declared_size and tuple(image.declared_size) != size:
        (height, width), declared = size, image.declared_size
        place = f"{image.name} ({width} × {height}, not {declared[1]} × {declared[0]})"
        return "an image of another size than its labels say", place
    return None


def _flat(images):
    """Returns the boxes of all images, float64 (m, 4), with the image, int (m,), class and place of each."""
    owners = np.array([row for row, image in enumerate(images) for _ in image.boxes], int)
    annotations = [box for image in images for box in image.boxes]
    boxes = np.array([box.numbers for box in annotations], "float64").reshape(-1, 4)
    return boxes, owners, np.array([box.label for box in annotations], object), [box.place for box in annotations]


def _good_boxes(boxes, sizes, box_format, places, faults, on_bad_box, notes):
    """Returns the boxes as clipped xyxy in pixels, and bool (m,), True for boxes that can be used."""
    boxes = to_xyxy(boxes, box_format, sizes)
    # Boxes of unreadable images stay unchanged; decoding will refuse the images.
    is_readable = (sizes > 0).all(axis=1)
    clipped = np.where(is_readable[:, None], clip_boxes(boxes, sizes), boxes)
    finite = np.isfinite(boxes).all(axis=1)
    negative = finite & (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    flat = finite & ~negative & (box_areas(boxes) == 0)
    outside = finite & ~negative & ~flat & (box_areas(clipped) == 0)
    kinds = {
        "a box with NaN or without a number": ~finite,
        "a box of negative width or height": negative,
        "a box of zero area": flat,
        "a box outside of its image": outside,
    }
    bad = np.any(list(kinds.values()), axis=0)
    if on_bad_box == "skip":
        notes += [f"Left out {bad.sum():,} of {counted(len(boxes), 'box')} that cannot be used."] if bad.any() else []
    else:
        for problem, is_affected in kinds.items():
            for row in np.flatnonzero(is_affected):
                faults.add(problem, places[row], SKIP_BOX)
    moved = ~bad & (np.abs(clipped - boxes) > 1e-3).any(axis=1)
    if moved.any():
        notes.append(f"Clipped {moved.sum():,} of {counted(len(boxes), 'box')} that left their image.")
    return clipped, ~bad


def _without_repeats(boxes, owners, labels, good, notes):
    """Returns bool (m,), True for good boxes that their image does not list before."""
    seen, is_first = set(), np.zeros(len(boxes), bool)
    for row, key in enumerate(zip(owners.tolist(), labels, map(tuple, boxes.tolist()), strict=True)):
        is_first[row] = key not in seen
        seen.add(key)
    num_repeats = int((good & ~is_first).sum())
    if num_repeats:
        notes.append(f"Left out {num_repeats:,} of {counted(len(boxes), 'box')} that their image lists twice.")
    return good & is_first


def _numbered(labels, class_names, faults, notes):
    """Returns the names of the classes that have boxes, and int32 (m,), the class of each box."""
    present = set(labels)
    names = sorted_class_names(present) if class_names is None else tuple(class_names)
    absent = [name for name in names if name not in present]
    if not present:
        faults.add("no image has a box", "", "check --data.path and its labels")
    elif absent:
        notes.append(f"Left out, for no image shows it: {first_of(absent)}.")
    names = tuple(name for name in names if name in present)
    for alike in lookalikes(names):
        faults.add("class names that look alike", alike, "use one spelling for each class")
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([index[label] for label in labels], np.int32)
