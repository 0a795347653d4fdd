"""Finds the images and boxes that a user points at, whatever form they have."""

import importlib
import os
from pathlib import Path

from tl_keras.data.boxes.coco import find_coco_files, looks_like_coco, read_coco
from tl_keras.data.boxes.example_sets import BOX_EXAMPLES, box_example_path
from tl_keras.data.boxes.pascal_voc import has_voc_files, read_voc
from tl_keras.data.boxes.table import BOX_COLUMNS, read_box_table
from tl_keras.data.boxes.yolo import find_yolo_file, read_yolo
from tl_keras.data.reading.locations import find_location
from tl_keras.errors import InputError, unknown_name

_FORMATS_THAT_CHOOSE = ("xyxy", "xywh")


def find_boxes(
    path,
    *,
    path_column="path",
    box_columns=BOX_COLUMNS,
    label_column="label",
    split_column="split",
    box_format=None,
    on_bad_box="error",
    on_bad_file="error",
):
    """Lists the images of a data set with their boxes; of the images only the headers are read.

    Args:
        path: one of
            - the name of an example ("boxed_emoji", "tree_crowns"; write "./boxed_emoji" for a folder of that name),
            - a .json file in COCO's format, or a folder with such files, as `find_coco_files` looks for them,
            - data.yaml of a YOLO data set, or the folder that holds it,
            - a folder with Pascal VOC's XML files,
            - a .csv, .tsv, .jsonl or .parquet table with a box per row,
            - "tfds:NAME", a data set of TensorFlow Datasets, prepared or downloadable,
            - a folder that TensorFlow Datasets has prepared.
        path_column: of a table, the column of image paths, relative to the folder of the table.
        box_columns: of a table, the four columns of coordinates in pixels.
        label_column: of a table, the column of class names.
        split_column: of a table, the column of split names; it may be absent if it is the default.
        box_format: of a table or of COCO's JSON, "xyxy" or "xywh"; None: "xyxy" in tables, "xywh" in JSON.
        on_bad_box: "error", or "skip" to leave out, with a note, boxes that are NaN, negative, of zero area or outside.
        on_bad_file: "error", or "skip" to leave out, with a note, images that are not there or of another size.

    Returns:
        `BoxRecords`.

    Raises:
        InputError: nothing is there, or what is there cannot be used; the message says everything that is wrong.
    """
    if box_format not in (None, *_FORMATS_THAT_CHOOSE):
        raise unknown_name("detection.box_format", box_format, _FORMATS_THAT_CHOOSE)
    skips = {"on_bad_box": on_bad_box, "on_bad_file": on_bad_file}
    place = box_example_path(str(path)) if str(path) in BOX_EXAMPLES else Path(path)
    if place.suffix.lower() == ".json" and os.path.isfile(place):
        return read_coco([place], box_format=box_format or "xywh", **skips)
    if place.suffix.lower() in (".yaml", ".yml") and os.path.isfile(place):
        return read_yolo(place, **skips)
    location = find_location(place if str(path) in BOX_EXAMPLES else path, BOX_EXAMPLES, things="boxes")
    if location.form == "table":
        columns = {"path_column": path_column, "label_column": label_column, "split_column": split_column}
        return read_box_table(
            location.path, **columns, box_columns=box_columns, box_format=box_format or "xyxy", **skips
        )
    if location.form == "folder":
        return _read_folder(location.path, box_format, skips)
    # Loads TensorFlow Datasets, only for data that need it.
    return importlib.import_module("tl_keras.data.boxes.tfds").read_tfds_boxes(location, **skips)


def _read_folder(folder, box_format, skips):
    files = find_coco_files(folder)
    likely = [file for file in files if looks_like_coco(file)]
    if likely:
        return read_coco(likely, box_format=box_format or "xywh", **skips)
    if file := find_yolo_file(folder):
        return read_yolo(file, **skips)
    if has_voc_files(folder):
        return read_voc(folder, **skips)
    if files:
        # Says what is wrong with them.
        return read_coco(files, **skips)
    raise InputError(
        f"The folder {folder} holds no boxes: expected COCO's JSON (beside the images, in annotations/, or in train/), "
        "YOLO's data.yaml, or Pascal VOC's XML files; check --data.path."
    )
