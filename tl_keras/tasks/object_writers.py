"""Writes detections as a table to read, as CSV, as JSON lines, or as COCO's JSON.

A writer is a context manager that gives a function of (file, size, detections). The size is the height and the width
of the image in pixels; detections are (class name, score, box), the highest score first; a box is left, top, right,
bottom in pixels.
"""

import contextlib
import csv
import json
from collections import Counter

from tl_keras.system.escaping import csv_cell, for_terminal
from tl_keras.tasks.label_writers import as_json, as_text, item_cells, refuse_columns

BOX_COLUMNS = ("label", "score", "xmin", "ymin", "xmax", "ymax")


@contextlib.contextmanager
def table_writer(stream, class_names):
    """Writes a line for each file with the number of detections of each class."""

    def write(file, size, detections):
        counts = Counter(name for name, _, _ in detections)
        shown = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing"
        stream.write(for_terminal(f"{file}  {shown}") + "\n")

    yield write


@contextlib.contextmanager
def csv_writer(stream, class_names):
    """Writes a row for each detection: the columns of its file, label, score and box; formulas are escaped."""
    writer, header = csv.writer(stream, lineterminator="\n"), []

    def write(file, size, detections):
        own = item_cells(file, "file")
        if not header:
            refuse_columns(own, BOX_COLUMNS)
            header.extend([*own, *BOX_COLUMNS])
            writer.writerow(csv_cell(as_text(name)) for name in header)
        cells = [csv_cell(as_text(cell)) for cell in own.values()]
        for name, score, box in detections:
            writer.writerow([*cells, csv_cell(name), f"{score:.6f}", *(f"{side:.1f}" for side in box)])

    yield write
    if not header:
        writer.writerow(["file", *BOX_COLUMNS])


@contextlib.contextmanager
def jsonl_writer(stream, class_names):
    """Writes a JSON object for each file: its columns and `objects`."""

    def write(file, size, detections):
        own = item_cells(file, "file")
        refuse_columns(own, ["objects"])
        objects = [{"label": name, "score": score, "box": box} for name, score, box in detections]
        stream.write(as_json(own | {"objects": objects}) + "\n")

    yield write


@contextlib.contextmanager
def coco_writer(stream, class_names):
    """Writes one COCO document, with the score of each annotation."""
    ids = {name: number for number, name in enumerate(class_names, start=1)}
    document = {
        "info": {"description": "detections of tl_keras"},
        "images": [],
        "annotations": [],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }

    def write(file, size, detections):
        height, width = size
        image = {"id": len(document["images"]) + 1, "file_name": file, "height": height, "width": width}
        document["images"].append(image)
        for name, score, (left, top, right, bottom) in detections:
            document["annotations"].append(
                {
                    "id": len(document["annotations"]) + 1,
                    "image_id": image["id"],
                    "category_id": ids[name],
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                    "score": score,
                }
            )

    yield write
    json.dump(document, stream, ensure_ascii=False)
    stream.write("\n")


OBJECT_WRITERS = {"table": table_writer, "csv": csv_writer, "jsonl": jsonl_writer, "coco": coco_writer}
