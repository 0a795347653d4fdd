"""Cuts large images into squares that a detector can take: aerial photographs, scans, microscopy."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from PIL import Image

from tl_keras.data.boxes.geometry import box_areas
from tl_keras.data.images.decoding import read_upright
from tl_keras.errors import InputError


def tile_boxes(records, tile_size, *, overlap=0, min_share=0.4):
    """Cuts every image that is larger than a tile into tiles; the last ones of a row or column are shifted inwards.

    Tiles of one image overlap, so decide the splits first.

    Args:
        records: `BoxRecords`.
        tile_size: height and width of a tile in pixels.
        overlap: pixels that neighbours share at least, 0 to below `tile_size`.
        min_share: a box belongs to a tile if this part of its area is inside, 0 to 1; it is clipped there. What of
            other boxes reaches in stays in the picture without a box.

    Returns:
        `BoxRecords` whose sources are the tiles as PNG (bytes), named "NAME@LEFT,TOP"; smaller images as they were.

    Raises:
        InputError: a number out of range, or an image that cannot be read.
    """
    if tile_size < 1 or not 0 <= overlap < tile_size or not 0 < min_share <= 1:
        raise InputError(
            f"Tiles of {tile_size} pixels with {overlap} overlap and min_share {min_share}: expected a size of 1 or "
            "more, an overlap from 0 to below it, and a share above 0, at most 1."
        )

    def tiles_of_row(row):
        return _tiles(records, row, tile_size, overlap, min_share)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tiles = [tile for found in pool.map(tiles_of_row, range(len(records))) for tile in found]
    sources, names, boxes, labels, sizes, splits = (list(column) for column in zip(*tiles, strict=True))
    return replace(
        records,
        sources=sources,
        names=names,
        boxes=boxes,
        labels=labels,
        sizes=np.array(sizes, np.int32),
        splits=splits,
    )


def boxes_inside(boxes, window, min_share):
    """Finds the boxes that belong to a part of an image.

    Args:
        boxes: float32 (k, 4), xyxy in pixels of the image.
        window: left, top, right, bottom of the part.
        min_share: the part of a box's area that must be inside, 0 to 1.

    Returns:
        inside: float32 (j, 4), xyxy in pixels of the part, clipped.
        kept: int (j,), their places among the boxes.
    """
    left, top, right, bottom = window
    clipped = np.clip(boxes, [left, top, left, top], [right, bottom, right, bottom])
    kept = np.flatnonzero(box_areas(clipped) >= min_share * box_areas(boxes))
    return (clipped[kept] - np.array([left, top] * 2)).astype("float32"), kept


def _tiles(records, row, tile_size, overlap, min_share):
    """Returns (source, name, boxes, labels, size, split) of every tile of an image."""
    name, split = records.names[row], records.splits[row]
    height, width = records.sizes[row]
    if max(height, width) <= tile_size:
        source, boxes, labels = records.sources[row], records.boxes[row], records.labels[row]
        return [(source, name, boxes, labels, (height, width), split)]
    image = Image.fromarray(read_upright(records.sources[row]))
    found = []
    for top in _starts(height, tile_size, overlap):
        for left in _starts(width, tile_size, overlap):
            window = (left, top, min(left + tile_size, width), min(top + tile_size, height))
            boxes, kept = boxes_inside(records.boxes[row], window, min_share)
            size = (window[3] - top, window[2] - left)
            tile = _png(image.crop(window))
            found.append((tile, f"{name}@{left},{top}", boxes, records.labels[row][kept], size, split))
    return found


def _starts(side, tile_size, overlap):
    """Returns where tiles begin along a side: evenly spread, as few as the overlap allows."""
    if side <= tile_size:
        return [0]
    count = -(-(int(side) - overlap) // (tile_size - overlap))
    return np.linspace(0, side - tile_size, count).round().astype(int).tolist()


def _png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
