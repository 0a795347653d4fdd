"""Images of rectangles in COCO's format, and the flags of a detector's run on them that takes a few seconds."""

import io

import numpy as np
from PIL import Image

from tests.models.detection.tiny_detectors import SIZE, rectangles
from tl_keras import data

NAMES = ("red", "blue")


def write_rectangles(folder, counts, height=SIZE):
    """Writes images of red and blue rectangles as a folder in COCO's format.

    Args:
        folder: `pathlib.Path` of the folder to create.
        counts: dict from each split to its number of images.
        height: height of the images in pixels; their width is `SIZE`.
    """
    images, targets = rectangles(sum(counts.values()))
    kept = (targets["labels"] >= 0) & (targets["boxes"][..., 3] <= height)
    records = data.BoxRecords(
        sources=[_png(image[:height]) for image in images],
        names=[str(row) for row in range(len(images))],
        boxes=[boxes[real] for boxes, real in zip(targets["boxes"], kept, strict=True)],
        labels=[labels[real] for labels, real in zip(targets["labels"], kept, strict=True)],
        sizes=np.full((len(images), 2), (height, SIZE), np.int32),
        splits=[split for split, count in counts.items() for _ in range(count)],
        class_names=NAMES,
    )
    data.write_coco(records, folder)


def detector_flags(boxes, phases):
    """Returns the flags of a run, a list.

    Args:
        boxes: path of the folder that `write_rectangles` made.
        phases: value of `--phases`.
    """
    values = {
        "task": "object_detection",
        "data.path": boxes,
        "data.batch_size": 4,
        "detection.channels": 8,
        "detection.feature_pyramid": "false",
        "detection.anchor_sizes": "[12, 24]",
        "detection.head_units": "[32]",
        "detection.num_proposals": 12,
        "model.weights": "none",
        "phases": phases,
    }
    return [part for name, value in values.items() for part in (f"--{name}", str(value))]


def _png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()
