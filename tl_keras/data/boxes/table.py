"""Tables of boxes: an image, four coordinates, a label and optionally a split per row."""

import os

from tl_keras.data.boxes.checks import Annotations, BoxAnnotation, ImageAnnotation, to_number
from tl_keras.data.data_errors import Faults
from tl_keras.data.images.table import join_path
from tl_keras.data.labels import read_splits
from tl_keras.data.reading.table_cells import read_columns
from tl_keras.data.wording import as_class_name, excerpt, printable


def read_box_table(table, columns, box_format="xyxy"):
    """Reads a table of boxes, one row per box.

    A row with only a path stands for an image without boxes.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_columns`.
        columns: `TableColumns`. The split is the same in all rows of an image.
        box_format: "xyxy" or "xywh".

    Returns:
        `Annotations`, the images in the order of their first rows.

    Raises:
        InputError: the file is not a readable table, or lacks columns.
    """
    flags = {"data.path_column": columns.path, "data.label_column": columns.label, "data.split_column": columns.split}
    flags |= {f"detection.box_columns[{number}]": column for number, column in enumerate(columns.boxes)}
    faults = Faults(f"The table {table}")
    places, cells = read_columns(table, flags, faults=faults)
    splits = read_splits(places, cells[columns.split], faults)
    images = {}
    boxes = zip(*(cells[column] for column in columns.boxes), strict=True)
    rows = zip(places, cells[columns.path], splits, boxes, cells[columns.label], strict=True)
    for place, name, split, numbers, label in rows:
        name = os.path.normpath(str(name)) if name else ""
        image = images.get(name) or _image(table, name, split, place, faults)
        if image is None:
            continue
        if image.split != split:
            faults.add("an image in two splits", f"{place} ({excerpt(name)})")
        images[name] = image
        _add_box(image, numbers, label, place, faults)
    return Annotations(list(images.values()), faults, box_format=box_format)


def _image(table, name, split, place, faults):
    path, problem = join_path(table, name)
    if problem:
        faults.add(problem, f"{place} ({excerpt(name)})" if name else place)
        return None
    return ImageAnnotation(path, printable(name), split)


def _add_box(image, cells, label, place, faults):
    if not any(cells):
        return
    if not label or isinstance(label, list):
        faults.add("no label", place)
    image.boxes.append(BoxAnnotation(tuple(map(to_number, cells)), as_class_name(str(label)), place))
