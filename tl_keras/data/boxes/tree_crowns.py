"""Aerial photographs of forest with a box around every tree crown, from a Python package.

Two photographs of Yellowstone (NEON, National Ecological Observatory Network) with 853 crowns, from DeepForest
(Weinstein et al., "DeepForest: A Python package for RGB deep learning tree crown delineation", 2020; MIT licence).
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tl_keras.data.boxes.checks import check_boxes
from tl_keras.data.boxes.coco_writing import write_coco
from tl_keras.data.boxes.pascal_voc import read_voc
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.boxes.tiles import boxes_inside, tile_boxes
from tl_keras.data.images.decoding import read_upright
from tl_keras.data.images.encoding import encode_png
from tl_keras.system.pip_assets import PipAsset, fetch_asset

_LARGE, _SMALL = "2019_YELL_2_528000_4978000_image_crop2", "2019_YELL_2_541000_4977000_image_crop"
ASSET = PipAsset(
    package="deepforest",
    version="2.1.0",
    wheel_sha256="8c2798d8e9be7f0004b194fe207b76c1d9fff6e711b3db67b9508dcd5d00ae54",
    folder="deepforest/data",
    files={
        f"{_LARGE}.png": "a9bdb0f4447fdd899d22f567e0e20ba8320c5413b2ad0cd0ac8d9f3b6e0f9767",
        f"{_LARGE}.xml": "bd431af6a5086d721eb731b22f5ea28cd8a8eab06883efc1c665391acbc68e11",
        f"{_SMALL}.png": "178e58a23cc2642226a364a30f71bd9258ddc1b012c826f12250914a90c7a131",
        f"{_SMALL}.xml": "cefe4b96888bacbf8af1674f000082e549aa707aa6590d545effb23e43f26631",
    },
    otherwise="give --data.path data of your own",
)
TILE_SIZE = 400
TRAIN_OVERLAP = 200
"""Pixels that neighbouring training tiles share, so that nearly every crown is whole in one of them."""

# The rows below are for validation.
_TRAIN_ROWS = 2072


def write_tree_crowns(folder):
    """Writes tiles of the photographs in COCO's format, after one download from PyPI (21 MB).

    Training tiles show the large photograph except its lowest 400 rows, which are for validation. Test tiles show the
    other photograph, of which training sees nothing. Test tiles share some pixels, because the side is not a multiple
    of a tile, so some crowns count twice.

    Args:
        folder: `Path` of the folder to create.

    Raises:
        InputError: pip cannot download the package, or a file has the wrong checksum.
    """
    source = fetch_asset(ASSET)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        # The package has other XML files in the same folder.
        for name in ASSET.files:
            shutil.copy(source / name, temporary)
        records = check_boxes(read_voc(temporary))
        large, small = (records.names.index(f"{name}.png") for name in (_LARGE, _SMALL))
        height, width = records.sizes[large]
        parts = (
            (large, (0, 0, width, _TRAIN_ROWS), "train", TRAIN_OVERLAP),
            (large, (0, _TRAIN_ROWS, width, height), "validation", 0),
            (small, (0, 0, *records.sizes[small][::-1]), "test", 0),
        )
        for row, window, split, overlap in parts:
            write_coco(tile_boxes(_part(records, row, window, split), TILE_SIZE, min_overlap=overlap), folder)


def _part(records, row, window, split):
    """Returns `BoxRecords` of one image, cropped to a window."""
    left, top, right, bottom = window
    pixels = read_upright(records.sources[row])[top:bottom, left:right]
    boxes, indices = boxes_inside(records.boxes[row], window, min_share=0.4)
    return BoxRecords(
        sources=[encode_png(Image.fromarray(pixels))],
        names=[Path(records.names[row]).stem + f"-{split}"],
        boxes=[boxes],
        labels=[records.labels[row][indices]],
        sizes=np.array([pixels.shape[:2]], np.int32),
        splits=[split],
        class_names=records.class_names,
    )
