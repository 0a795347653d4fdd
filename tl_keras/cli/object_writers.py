"""Writes found objects: as a table to read, as CSV, as JSON lines, as COCO's JSON, and into the pictures themselves.

A writer is a context manager that gives a function of (file, size, objects); size is the height and the width of the
image, objects are (class name, score, box), the surest first, a box left, top, right, bottom in pixels.
"""

import contextlib
import csv
import json
from collections import Counter
from pathlib import Path

from PIL import Image

from tl_keras import data, evaluation
from tl_keras.errors import InputError
from tl_keras.system.escaping import csv_cell, for_terminal


@contextlib.contextmanager
def table_writer(stream, class_names):
    """Writes a line for each file: how many objects of which class."""

    def write(file, size, objects):
        counts = Counter(name for name, _, _ in objects)
        found = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing"
        stream.write(for_terminal(f"{file}  {found}") + "\n")

    yield write


@contextlib.contextmanager
def csv_writer(stream, class_names):
    """Writes a row for each object; what begins a formula is defused."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", "label", "score", "xmin", "ymin", "xmax", "ymax"])

    def write(file, size, objects):
        for name, score, box in objects:
            writer.writerow([csv_cell(file), csv_cell(name), f"{score:.6f}", *(f"{side:.1f}" for side in box)])

    yield write


@contextlib.contextmanager
def jsonl_writer(stream, class_names):
    """Writes a JSON object for each file."""

    def write(file, size, objects):
        found = [{"label": name, "score": score, "box": box} for name, score, box in objects]
        stream.write(json.dumps({"file": file, "objects": found}, ensure_ascii=False) + "\n")

    yield write


@contextlib.contextmanager
def coco_writer(stream, class_names):
    """Writes one document, with the score of each annotation."""
    ids = {name: number for number, name in enumerate(class_names, start=1)}
    document = {
        "images": [],
        "annotations": [],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }

    def write(file, size, objects):
        height, width = size
        image = {"id": len(document["images"]) + 1, "file_name": file, "height": height, "width": width}
        document["images"].append(image)
        for name, score, (left, top, right, bottom) in objects:
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


@contextlib.contextmanager
def picture_writer(folder, class_names):
    """Draws the objects of each file and saves it as PNG, under its own name or that with a number.

    Args:
        folder: where to; it is made.
        class_names: sequence of all names.

    Raises:
        InputError: the folder cannot be made.
    """
    folder, taken = Path(folder), Counter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write to {str(folder)!r} ({error.strerror}): give --pictures a folder.") from error

    def write(file, size, objects):
        stem = Path(file).stem
        taken[stem] += 1
        name = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        drawn = evaluation.draw_objects(data.read_upright(file), objects, class_names)
        Image.fromarray(drawn).save(folder / f"{name}.png")

    yield write


OBJECT_WRITERS = {"table": table_writer, "csv": csv_writer, "jsonl": jsonl_writer, "coco": coco_writer}
