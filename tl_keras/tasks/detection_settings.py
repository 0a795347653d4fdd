"""Settings of a detector: what was configured, and what follows from the images and boxes."""

from dataclasses import fields, replace

import numpy as np

from tl_keras.models.detection.families import FAMILIES

MAX_IMAGE_SIZE = 640
"""Pixels."""
STRIDE = 32
"""Pixels; every detector takes multiples of it."""
SETTINGS = ("feature_pyramid", "channels", "anchor_sizes", "head_units", "num_proposals")
SMALL_BOX_SHARE, MIN_ANCHOR_SIZE = 0.25, 8.0


def choose_image_size(records):
    """Chooses the side of the images: that of the originals, so that objects keep their size, up to `MAX_IMAGE_SIZE`.

    Args:
        records: `BoxRecords`.

    Returns:
        Side in pixels, a multiple of `STRIDE`.
    """
    longest = int(np.median(records.sizes.max(axis=1)))
    return min(MAX_IMAGE_SIZE, -(-max(longest, 1) // STRIDE) * STRIDE)


def choose_anchor_sizes(box_set):
    """Chooses the sides of the anchors of five levels, each twice as large as the one before.

    The finest is the power of two next to the small boxes, the quantile `SMALL_BOX_SHARE` of all sides, and at least
    `MIN_ANCHOR_SIZE` pixels.

    Args:
        box_set: `BoxSet` of the training images.

    Returns:
        Tuple of five floats, in pixels.
    """
    boxes = np.concatenate(box_set.boxes)
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    finest = max(MIN_ANCHOR_SIZE, 2.0 ** np.round(np.log2(np.quantile(sides, SMALL_BOX_SHARE))))
    return tuple(float(finest * 2**level) for level in range(5))


def detector_settings(detection, train, own_shape):
    """Combines what was configured with the defaults of the detector's authors; anchors follow the data.

    Args:
        detection: `DetectionConfig`.
        train: `BoxSet` of the training images.
        own_shape: False for a whole detector with COCO weights, which comes with its anchors.

    Returns:
        Settings of the detector's family.
    """
    settings = FAMILIES[detection.detector].settings()
    known = {field.name for field in fields(settings)}
    chosen = {name: getattr(detection, name) for name in SETTINGS if getattr(detection, name) is not None}
    chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}
    if own_shape and "anchor_sizes" in known - chosen.keys():
        chosen["anchor_sizes"] = choose_anchor_sizes(train)
    decoding = replace(
        settings.decoding,
        score_threshold=detection.score_threshold,
        max_detections=detection.max_detections,
        overlap_threshold=detection.overlap_threshold or settings.decoding.overlap_threshold,
    )
    return replace(settings, **chosen, decoding=decoding)
