"""Recognition of boxes that were written in another format than the one they are read in."""

import numpy as np

from tl_keras.data.boxes.geometry import to_xyxy

# Boxes that leave their image by up to this fraction of its side count as imprecise, not as misread.
_TOLERANCE = 0.02
# Another format is suggested if at least the first fraction of the boxes is impossible as declared, and at most the
# second fraction in the other format.
_MIN_IMPOSSIBLE, _MAX_IMPOSSIBLE = 0.2, 0.01
_OTHERS = {"xyxy": ("xywh",), "xywh": ("xyxy",), "relative_center_xywh": ("xyxy", "xywh")}
_IN_WORDS = {
    "xyxy": "left, top, right, bottom",
    "xywh": "left, top, width, height",
    "relative_center_xywh": "centre x, centre y, width, height, as YOLO writes them",
}


def has_other_format(boxes, sizes, box_format, faults):
    """Checks if boxes make sense in another format only.

    Args:
        boxes: float (m, 4), in the declared format.
        sizes: int (m, 2), height and width of the image of each box; 0 if it cannot be read.
        box_format: the declared format, one of `BOX_FORMATS`.
        faults: `Faults` that collects the problem.

    Returns:
        bool; True after adding a fault.
    """
    is_usable = np.isfinite(boxes).all(axis=1) & (sizes > 0).all(axis=1)
    boxes, sizes = boxes[is_usable], sizes[is_usable]
    if not len(boxes):
        return False
    is_relative = box_format.startswith("relative_")
    if is_relative and np.mean((boxes > 1 + _TOLERANCE).any(axis=1)) >= _MIN_IMPOSSIBLE:
        faults.add("boxes in pixels", "", "write them as fractions of the image, 0 to 1")
        return True
    if not is_relative and np.abs(boxes).max() <= 1 and sizes.min() > 4:
        faults.add("boxes as fractions of the image", "", "write them in pixels")
        return True
    impossible = _is_impossible(to_xyxy(boxes, box_format, sizes), sizes)
    pixels = boxes * sizes[:, [1, 0, 1, 0]] if is_relative else boxes
    other = next(
        (
            other
            for other in _OTHERS.get(box_format, ())
            if _is_impossible(to_xyxy(pixels, other, sizes), sizes).mean() <= _MAX_IMPOSSIBLE
        ),
        None,
    )
    if impossible.mean() < _MIN_IMPOSSIBLE or other is None:
        return False
    # YOLO's files have one format; the flag chooses between those of pixels.
    advice = "convert them" if is_relative else f"give --detection.box_format {other}, or correct the boxes"
    declared = box_format.removeprefix("relative_")
    faults.add(
        f"boxes that look like {other} ({_IN_WORDS[other]}) but are read as {declared} ({_IN_WORDS[box_format]}): "
        f"as {declared}, {impossible.sum():,} of {len(boxes):,} are negative or leave their image",
        "",
        advice,
    )
    return True


def _is_impossible(boxes, sizes):
    """Returns bool (m,), True for xyxy boxes that are negative, or leave their image by more than the tolerance."""
    slack = sizes[:, ::-1] * _TOLERANCE + 1
    is_negative = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    return is_negative | ((boxes[:, :2] < -slack) | (boxes[:, 2:] > sizes[:, ::-1] + slack)).any(axis=1)
