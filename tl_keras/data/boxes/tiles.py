"""Tiling of large images, such as aerial photographs, scans and microscopy, for detectors."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from PIL import Image

from tl_keras.data.boxes.geometry import box_areas
from tl_keras.data.images.decoding import read_upright
from tl_keras.data.images.encoding import encode_png
from tl_keras.errors import InputError


def tile_boxes(records, tile_size, *, min_overlap=0, min_share=0.4):
    """Cuts images that are larger than a tile into evenly spaced tiles.

    Tiles of one image share pixels, so the splits must be decided before.

    Args:
        records: `BoxRecords`.
        tile_size: height and width of a tile in pixels.
        min_overlap: minimum number of pixels that neighbouring tiles share, 0 to below `tile_size`.
        min_share: minimum fraction of the area of a box that must be inside of a tile, above 0 to 1; such boxes are
            clipped, others are left out, although their objects stay partly visible.

    Returns:
        `BoxRecords` whose sources are the tiles as PNG (bytes), named "NAME@LEFT,TOP"; smaller images are unchanged.

    Raises:
        InputError: a number is out of range, or an image cannot be read.
    """
    if tile_size < 1 or not 0 <= min_overlap < tile_size or not 0 < min_share <= 1:
        raise InputError(
            f"Tiles of {tile_size} pixels with min_overlap {min_overlap} and min_share {min_share}: expected a size of "
            "1 or more, min_overlap from 0 to below it, and min_share above 0, at most 1."
        )

    tiles_of_row = functools.partial(_tiles, records, tile_size, min_overlap, min_share)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tiles = [tile for tiles in pool.map(tiles_of_row, range(len(records))) for tile in tiles]
    columns = dict(zip(records.COLUMNS, map(list, zip(*tiles, strict=True)), strict=True))
    return replace(records, **columns | {"sizes": np.array(columns["sizes"], np.int32)})


def boxes_inside(boxes, window, min_share):
    """Clips boxes to a window and selects those that are mostly inside.

    Args:
        boxes: float32 (k, 4), xyxy in pixels of the image.
        window: left, top, right, bottom of the window in pixels.
        min_share: minimum fraction of the area of a box that must be inside, 0 to 1.

    Returns:
        boxes: float32 (j, 4), xyxy in pixels of the window, clipped.
        indices: int (j,), the rows of these boxes among `boxes`.
    """
    left, top, right, bottom = window
    clipped = np.clip(boxes, [left, top, left, top], [right, bottom, right, bottom])
    indices = np.flatnonzero(box_areas(clipped) >= min_share * box_areas(boxes))
    return (clipped[indices] - np.array([left, top] * 2)).astype("float32"), indices


def _tiles(records, tile_size, min_overlap, min_share, row):
    """Returns the `COLUMNS` of each tile of an image."""
    name, split = records.names[row], records.splits[row]
    height, width = records.sizes[row]
    if max(height, width) <= tile_size:
        return [(records.sources[row], name, records.labels[row], split, records.boxes[row], (height, width))]
    image = Image.fromarray(read_upright(records.sources[row]))
    tiles = []
    for top in _starts(height, tile_size, min_overlap):
        for left in _starts(width, tile_size, min_overlap):
            window = (left, top, min(left + tile_size, width), min(top + tile_size, height))
            boxes, indices = boxes_inside(records.boxes[row], window, min_share)
            size = (window[3] - top, window[2] - left)
            tile = encode_png(image.crop(window))
            tiles.append((tile, f"{name}@{left},{top}", records.labels[row][indices], split, boxes, size))
    return tiles


def _starts(side, tile_size, min_overlap):
    """Returns the starts of the tiles along a side, evenly spaced, as few as `min_overlap` allows."""
    if side <= tile_size:
        return [0]
    count = -(-(int(side) - min_overlap) // (tile_size - min_overlap))
    return np.linspace(0, side - tile_size, count).round().astype(int).tolist()
