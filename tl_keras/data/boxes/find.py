"""Images with boxes of any form: examples, COCO, YOLO, Pascal VOC, tables and data sets of TensorFlow Datasets."""

import importlib
import os
from pathlib import Path

from tl_keras.data.boxes.checks import check_boxes
from tl_keras.data.boxes.coco import find_coco_files, looks_like_coco, read_coco
from tl_keras.data.boxes.example_sets import BOX_EXAMPLES, box_example_path
from tl_keras.data.boxes.pascal_voc import has_voc_files, read_voc
from tl_keras.data.boxes.table import read_box_table
from tl_keras.data.boxes.yolo import find_yolo_file, find_yolo_file_above, read_yolo
from tl_keras.data.reading.locations import find_location
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS
from tl_keras.errors import InputError, unknown_name

_BOX_FORMATS = ("xyxy", "xywh")


def find_boxes(path, columns=DEFAULT_COLUMNS, *, box_format=None, on_bad_box="error", on_bad_file="error"):
    """Lists the images of a data set with their boxes, reading only the headers of the images.

    Args:
        path: one of:
            - the name of an example ("boxed_emoji", "tree_crowns"; write "./boxed_emoji" for a folder of that name),
            - a .json file in COCO's format, or a folder with such files, as in `find_coco_files`,
            - data.yaml of a YOLO data set, its folder, or the folder of one of its splits,
            - a folder with Pascal VOC's XML files,
            - a .csv, .tsv, .jsonl or .parquet table with a box per row,
            - "tfds:NAME", a data set of TensorFlow Datasets, prepared or downloadable,
            - a folder that TensorFlow Datasets has prepared.
        columns: `TableColumns` of a table.
        box_format: format of boxes in a table or in COCO's JSON, "xyxy" or "xywh"; None: "xyxy" in tables, "xywh" in
            JSON.
        on_bad_box: "error", or "skip" to leave out, with a note, boxes that are NaN, negative, of zero area or outside.
        on_bad_file: "error", or "skip" to leave out, with a note, images that are missing or of another size.

    Returns:
        `BoxRecords`.

    Raises:
        InputError: the data are missing or cannot be used; the message reports all problems.
    """
    if box_format not in (None, *_BOX_FORMATS):
        raise unknown_name("detection.box_format", box_format, _BOX_FORMATS)
    return check_boxes(_read(path, columns, box_format), on_bad_box=on_bad_box, on_bad_file=on_bad_file)


def _read(path, columns, box_format):
    """Returns the `Annotations` of a data set."""
    if str(path) in BOX_EXAMPLES:
        path = box_example_path(str(path))
    file = Path(path)
    if file.suffix.lower() == ".json" and os.path.isfile(file):
        return read_coco([file], box_format or "xywh")
    if file.suffix.lower() in (".yaml", ".yml") and os.path.isfile(file):
        return read_yolo(file, is_trusted=True)
    location = find_location(path, BOX_EXAMPLES, things="boxes")
    if location.form == "table":
        return read_box_table(location.path, columns, box_format or "xyxy")
    if location.form == "folder":
        return _read_folder(location.path, box_format or "xywh")
    # Imported here because it loads TensorFlow Datasets.
    return importlib.import_module("tl_keras.data.boxes.tfds").read_tfds_boxes(location)


def _read_folder(folder, box_format):
    files = find_coco_files(folder)
    coco_files = [file for file in files if looks_like_coco(file)]
    if coco_files:
        return read_coco(coco_files, box_format)
    if file := find_yolo_file(folder):
        return read_yolo(file)
    if has_voc_files(folder):
        return read_voc(folder)
    if file := find_yolo_file_above(folder):
        return read_yolo(file, folder)
    if files:
        # Raises an error that names the missing keys.
        return read_coco(files, box_format)
    raise InputError(
        f"The folder {folder} has no boxes: expected COCO's JSON (beside the images, in annotations/, or in train/), "
        "YOLO's data.yaml, or Pascal VOC's XML files; check --data.path, and give a table of boxes by its own path."
    )
