"""Boxes listed in a table with an image, four coordinates and a label per row, and perhaps a split."""

import os

from tl_keras.data.boxes.checks import DrawnBox, DrawnImage, check_boxes
from tl_keras.data.data_errors import Faults
from tl_keras.data.labels import read_splits
from tl_keras.data.reading.table_cells import read_cells
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
    """Reads a table of boxes: as many rows per image as it has boxes; a row with a path alone is an image without.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_cells`.
        path_column: the column of image paths, relative to the folder of the table and inside it.
        box_columns: the four columns of coordinates in pixels, in the order of the format.
        label_column: the column of class names.
        split_column: the column of split names, the same in all rows of an image. The default one may be absent.
        box_format: "xyxy" or "xywh".
        on_bad_box: "error" or "skip", as in `check_boxes`.
        on_bad_file: as said.

    Returns:
        `BoxRecords`, the images in the order of their first rows.

    Raises:
        InputError: the file cannot be read as such a table, or with everything that is wrong with its boxes.
    """
    columns = {"data.path_column": path_column, "data.label_column": label_column, "data.split_column": split_column}
    columns |= {f"detection.box_columns[{number}]": column for number, column in enumerate(box_columns)}
    faults = Faults(f"The table {table}")
    places, rows = zip(*read_cells(table, columns), strict=True)
    splits = read_splits(places, [row.get(split_column, "") for row in rows], faults)
    images = {}
    for place, row, split in zip(places, rows, splits, strict=True):
        name = str(row.get(path_column, ""))
        name = os.path.normpath(name) if name else name
        image = images.get(name) or _image(table, name, split, place, faults)
        if image is None:
            continue
        if image.split != split:
            faults.add("an image in two splits", f"{place} ({printable(name)})")
        images[name] = image
        _add_box(image, [row.get(column, "") for column in box_columns], row.get(label_column, ""), place, faults)
    return check_boxes(
        list(images.values()), faults, box_format=box_format, on_bad_box=on_bad_box, on_bad_file=on_bad_file
    )


def _image(table, name, split, place, faults):
    # Compared as written, links unresolved: a data folder made of links to a store elsewhere is a common thing.
    root = os.path.abspath(os.path.dirname(table))
    path = os.path.normpath(os.path.join(root, name))
    if not name:
        faults.add("no path", place)
    elif "\0" in path or not path.startswith(os.path.join(root, "")):
        faults.add("a path out of its folder", f"{place} ({printable(name)})")
    else:
        return DrawnImage(path, printable(name), split)
    return None


def _add_box(image, cells, label, place, faults):
    if not any(cells):
        return
    if not label or isinstance(label, list):
        faults.add("no label", place)
    image.boxes.append(DrawnBox(tuple(map(_number, cells)), printable(str(label)), place))


def _number(cell):
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")
