"""What no box for learning may be: NaN, without area, outside of its image, or in another format than it seems."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from tl_keras.data.boxes.geometry import box_areas, clip_boxes, to_xyxy
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.images.bad_files import add_bad_images
from tl_keras.data.images.sizes import upright_size
from tl_keras.data.records import sorted_class_names
from tl_keras.data.wording import first_of, lookalikes
from tl_keras.errors import unknown_name

SKIP_BOX = "correct them, or go on without these boxes with --detection.on_bad_box skip"
SKIP_FILE = "bring the right files, or go on without these images with --data.on_bad_file skip"

# A box may leave its image by this part of the side before it counts as misread; so much is carelessness.
_CARELESS = 0.02
# From this share of impossible boxes on, the format is suspected, if the other format explains all but the second.
_SUSPECT, _EXPLAINED = 0.2, 0.01
_OTHER_FORMAT = {"xyxy": "xywh", "xywh": "xyxy"}
_IN_WORDS = {"xyxy": "left, top, right, bottom", "xywh": "left, top, width, height"}


class DrawnBox(NamedTuple):
    """A box as it is written down: four numbers, the name of its class, and where it stands."""

    numbers: tuple[float, float, float, float]
    label: str
    place: str


@dataclass(frozen=True)
class DrawnImage:
    """An image as its labels describe it, before any check.

    Attributes:
        source: path, or encoded image (bytes).
        name: what reports call it.
        split: "train", "validation", "test" or "".
        declared_size: height and width that the labels say it has; None where they do not say.
        boxes: list of `DrawnBox`.
    """

    source: str | bytes
    name: str
    split: str = ""
    declared_size: tuple[int, int] | None = None
    boxes: list[DrawnBox] = field(default_factory=list)


def check_boxes(
    images,
    faults,
    *,
    class_names=None,
    box_format="xyxy",
    on_bad_box="error",
    on_bad_file="error",
    notes=(),
    skipped=(),
):
    """Looks at every box and at the header of every image.

    Args:
        images: list of `DrawnImage`.
        faults: `Faults` that the reader may have found already; what is found here is added.
        class_names: the names in the order that their numbers shall have; None: sorted.
        box_format: format of the boxes, one of `BOX_FORMATS`.
        on_bad_box: "error", or "skip" to leave out, with a note, boxes that are NaN, negative, of zero area or outside.
        on_bad_file: "error", or "skip" to leave out images that are not there or of another size.
        notes: sentences of the reader.
        skipped: (name, reason) of each file that the reader left out.

    Returns:
        `BoxRecords` of the same order. Boxes that leave their image are clipped, and counted in a note. Classes that
        no image shows are left out with a note.

    Raises:
        InputError: one sentence with everything that is wrong.
    """
    for argument, received in {"detection.on_bad_box": on_bad_box, "data.on_bad_file": on_bad_file}.items():
        if received not in ("error", "skip"):
            raise unknown_name(argument, received, ("error", "skip"))
    notes, skipped = list(notes), list(skipped)
    images, sizes = _present_images(images, faults, on_bad_file, skipped)
    boxes, owners, labels, places = _flat(images)
    sizes_of_boxes = sizes[owners]
    if not _note_misread(boxes, sizes_of_boxes, box_format, faults):
        boxes, good = _good_boxes(boxes, sizes_of_boxes, box_format, places, faults, on_bad_box, notes)
    _raise_if_any(images, faults, on_bad_file)
    boxes, owners, labels = boxes[good].astype("float32"), owners[good], labels[good]
    class_names, labels = _numbered(labels, class_names, faults, notes)
    _raise_if_any(images, faults, on_bad_file)
    records = _records(images, sizes, boxes, owners, labels, class_names, notes)
    return replace(records, skipped=tuple(skipped))


def _raise_if_any(images, faults, on_bad_file):
    """Raises all faults, and with them the images that decoding would find later."""
    if faults.places and on_bad_file == "error":
        add_bad_images([image.source for image in images if not isinstance(image.source, bytes)], faults)
    faults.raise_if_any()


def _present_images(images, faults, on_bad_file, skipped):
    """Returns the images that are there and as declared, and int32 (n, 2), their sizes; 0 where unreadable."""
    seen = set()
    for image in images:
        if image.name in seen:
            faults.add("an image that is listed twice, or in two splits", image.name, "name each in one place")
        seen.add(image.name)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = list(pool.map(upright_size, [image.source for image in images]))
    kept, sizes = [], []
    for image, size in zip(images, measured, strict=True):
        problem = _image_problem(image, size)
        if not problem:
            kept.append(image)
            sizes.append(size or (0, 0))
        elif on_bad_file == "skip":
            what, found = problem
            skipped.append((image.name, what if found == image.name else f"{what}: {found}"))
        else:
            faults.add(*problem, SKIP_FILE)
    if not kept and not faults.places:
        faults.add("no image with labels is there", "", "check --data.path")
    return kept, np.array(sizes, np.int32).reshape(-1, 2)


def _image_problem(image, size):
    """Returns what is wrong with an image, and where; None if nothing is."""
    if not isinstance(image.source, bytes) and not os.path.isfile(image.source):
        return "an image that is not there", image.name
    if size and image.declared_size and tuple(image.declared_size) != size:
        (height, width), declared = size, image.declared_size
        found = f"{image.name} ({width} × {height}, not {declared[1]} × {declared[0]})"
        return "an image of another size than its labels say", found
    return None


def _flat(images):
    """Returns the boxes of all images: float64 (m, 4), int (m,) the image of each, its class, its place."""
    drawn = [(row, box) for row, image in enumerate(images) for box in image.boxes]
    boxes = np.array([box.numbers for _, box in drawn], "float64").reshape(-1, 4)
    owners = np.array([row for row, _ in drawn], int)
    return boxes, owners, np.array([box.label for _, box in drawn], object), [box.place for _, box in drawn]


def _note_misread(boxes, sizes, box_format, faults):
    """Adds a fault, and returns True, if the boxes make sense in another format only."""
    usable = np.isfinite(boxes).all(axis=1) & (sizes > 0).all(axis=1)
    boxes, sizes = boxes[usable], sizes[usable]
    if not len(boxes):
        return False
    if box_format.startswith("relative_"):
        if np.mean((boxes > 1 + _CARELESS).any(axis=1)) >= _SUSPECT:
            faults.add("boxes in pixels", "", "write them as fractions of the image, 0 to 1")
            return True
        return False
    if np.abs(boxes).max() <= 1 and sizes.min() > 4:
        faults.add("boxes as fractions of the image", "", "write them in pixels")
        return True
    other = _OTHER_FORMAT[box_format]
    impossible, explained = (_impossible(to_xyxy(boxes, name, sizes), sizes) for name in (box_format, other))
    if impossible.mean() < _SUSPECT or explained.mean() > _EXPLAINED:
        return False
    faults.add(
        f"boxes that look like {other} ({_IN_WORDS[other]}) but are read as {box_format} ({_IN_WORDS[box_format]}), "
        f"for as such {impossible.sum():,} of {len(boxes):,} are negative or leave their image",
        "",
        f"give --detection.box_format {other}, or correct the boxes",
    )
    return True


def _impossible(boxes, sizes):
    room = sizes[:, ::-1] * (1 + _CARELESS) + 1
    return (boxes[:, 2:] < boxes[:, :2]).any(axis=1) | (boxes[:, 2:] > room).any(axis=1)


def _good_boxes(boxes, sizes, box_format, places, faults, on_bad_box, notes):
    """Returns the boxes as clipped xyxy in pixels, and bool (m,), which of them can be used."""
    boxes = to_xyxy(boxes, box_format, sizes)
    # Of images that cannot be read, nothing is known: their boxes stay as they are, for the images will not.
    known = (sizes > 0).all(axis=1)
    clipped = np.where(known[:, None], clip_boxes(boxes, sizes), boxes)
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
        notes += [f"Left out {bad.sum():,} of {len(boxes):,} boxes that cannot be used."] if bad.any() else []
    else:
        for what, found in kinds.items():
            for row in np.flatnonzero(found):
                faults.add(what, places[row], SKIP_BOX)
    moved = ~bad & (np.abs(clipped - boxes) > 1e-3).any(axis=1)
    if moved.any():
        notes.append(f"Clipped {moved.sum():,} of {len(boxes):,} boxes that left their image.")
    return clipped, ~bad


def _numbered(labels, class_names, faults, notes):
    """Returns the names of the classes that are shown, and int32 (m,), the class of each box."""
    shown = set(labels)
    names = sorted_class_names(shown) if class_names is None else tuple(class_names)
    unshown = [name for name in names if name not in shown]
    if not shown:
        faults.add("no image has a box", "", "check --data.path and its labels")
    elif unshown:
        notes.append(f"Left out, for no image shows it: {first_of(unshown)}.")
    names = tuple(name for name in names if name in shown)
    for alike in lookalikes(names):
        faults.add("class names that look alike", alike, "write the names of one class alike")
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([index[label] for label in labels], np.int32)


def _records(images, sizes, boxes, owners, labels, class_names, notes):
    ends = np.searchsorted(owners, np.arange(1, len(images)))
    without = len(images) - len(set(owners.tolist()))
    if without:
        notes.append(f"{without:,} of {len(images):,} images have no box; they are kept, as background.")
    return BoxRecords(
        sources=[image.source for image in images],
        names=[image.name for image in images],
        boxes=np.split(boxes, ends),
        labels=np.split(labels, ends),
        sizes=sizes,
        splits=[image.split for image in images],
        class_names=class_names,
        notes=tuple(notes),
    )
