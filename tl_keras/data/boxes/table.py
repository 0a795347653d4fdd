"""Tables of boxes: an image, four coordinates, a label and optionally a split per row."""

import os

from tl_keras.data.boxes.checks import BoxAnnotation, ImageAnnotation, check_boxes, to_number
from tl_keras.data.data_errors import Faults
from tl_keras.data.images.table import join_path
from tl_keras.data.labels import read_splits
from tl_keras.data.reading.table_cells import read_columns
from tl_keras.data.wording import printable

BOX_COLUMNS = ("xmin", "ymin", "xmax", "ymax")


def read_box_table(
    table,
    *,
    path_column="path",
    box_columns=BOX_COLUMNS,
    label_column="label",
    split_column="split",
    box_format="xyxy",
    on_bad_box="error",
    on_bad_file="error",
):
    """Reads a table of boxes, one row per box.

    A row with only a path stands for an image without boxes.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_columns`.
        path_column: column of image paths, relative to the folder of the table and inside it.
        box_columns: the four columns of coordinates in pixels, in the order of the format.
        label_column: column of class names.
        split_column: column of split names, the same in all rows of an image. The default column may be absent.
        box_format: "xyxy" or "xywh".
        on_bad_box: "error" or "skip", as in `check_boxes`.
        on_bad_file: "error" or "skip", as in `check_boxes`.

    Returns:
        `BoxRecords`, the images in the order of their first rows.

    Raises:
        InputError: the file is not a readable table; or one message reports all problems of its boxes.
    """
    columns = {"data.path_column": path_column, "data.label_column": label_column, "data.split_column": split_column}
    columns |= {f"detection.box_columns[{number}]": column for number, column in enumerate(box_columns)}
    faults = Faults(f"The table {table}")
    places, cells = read_columns(table, columns)
    splits = read_splits(places, cells[split_column], faults)
    images = {}
    boxes = zip(*(cells[column] for column in box_columns), strict=True)
    rows = zip(places, cells[path_column], splits, boxes, cells[label_column], strict=True)
    for place, name, split, numbers, label in rows:
        name = os.path.normpath(str(name)) if name else ""
        image = images.get(name) or _image(table, name, split, place, faults)
        if image is None:
            continue
        if image.split != split:
            faults.add("an image in two splits", f"{place} ({printable(name)})")
        images[name] = image
        _add_box(image, numbers, label, place, faults)
    return check_boxes(
        list(images.values()), faults, box_format=box_format, on_bad_box=on_bad_box, on_bad_file=on_bad_file
    )


def _image(table, name, split, place, faults):
    path, problem = join_path(table, name)
    if problem:
        faults.add(problem, f"{place} ({printable(name)})" if name else place)
        return None
    return ImageAnnotation(path, printable(name), split)


def _add_box(image, cells, label, place, faults):
    if not any(cells):
        return
    if not label or isinstance(label, list):
        faults.add("no label", place)
    image.boxes.append(BoxAnnotation(tuple(map(to_number, cells)), printable(str(label)), place))
