import csv
import io
import json

import pytest

from tl_keras.data.images.image_items import TableImage
from tl_keras.errors import InputError
from tl_keras.tasks.object_writers import OBJECT_WRITERS

CAT, DOG = ("cat", 0.75, [1.0, 2.0, 11.0, 22.0]), ("dog", 0.5, [3.0, 4.0, 5.0, 6.0])


def written(name, *found):
    stream = io.StringIO()
    with OBJECT_WRITERS[name](stream, ("cat", "dog")) as write:
        for file, objects in found:
            write(file, (30, 40), objects)
    return stream.getvalue()


def test_a_table_counts_the_objects():
    assert written("table", ("a.png", [CAT, DOG, CAT]), ("b.png", [])) == "a.png  2 cat, 1 dog\nb.png  nothing\n"


def test_csv_has_a_row_for_each_object():
    rows = list(csv.DictReader(io.StringIO(written("csv", ("a.png", [CAT, DOG]), ("b.png", [])))))
    assert [row["label"] for row in rows] == ["cat", "dog"]
    assert [float(rows[0][name]) for name in ("score", "xmin", "ymin", "xmax", "ymax")] == [0.75, *CAT[2]]


def test_jsonl_has_a_line_for_each_file():
    first, second = map(json.loads, written("jsonl", ("a.png", [CAT]), ("b.png", [])).splitlines())
    assert first == {"file": "a.png", "objects": [{"label": "cat", "score": 0.75, "box": CAT[2]}]}
    assert second == {"file": "b.png", "objects": []}


def test_columns_of_a_table_are_kept():
    image = TableImage("a.png", {"path": "=a.png", "day": None, "tags": ["x", 1]})
    (row,) = csv.DictReader(io.StringIO(written("csv", (image, [CAT]))))
    kept = {"path": "'=a.png", "day": "", "tags": '["x", 1]', "label": "cat"}
    assert row.items() >= kept.items() and "file" not in row
    assert written("csv", (TableImage("a.png", {"\ud800": 1}), [])).startswith("\ufffd,label")
    (line,) = map(json.loads, written("jsonl", (image, [])).splitlines())
    assert line == {"path": "=a.png", "day": None, "tags": ["x", 1], "objects": []}
    assert json.loads(written("coco", (image, [])))["images"][0]["file_name"] == "a.png"
    for name, column in (("csv", "score"), ("jsonl", "objects")):
        with pytest.raises(InputError, match=f"The table has a column '{column}', as the predictions would: rename it"):
            written(name, (TableImage("a.png", {column: 1}), [CAT]))


def test_coco_is_one_document():
    document = json.loads(written("coco", ("a.png", []), ("b.png", [CAT, DOG])))
    assert document["images"][1] == {"id": 2, "file_name": "b.png", "height": 30, "width": 40}
    assert document["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    cat, dog = document["annotations"]
    assert (cat["image_id"], cat["category_id"], cat["bbox"]) == (2, 1, [1.0, 2.0, 10.0, 20.0])
    assert (dog["id"], dog["category_id"], dog["area"], dog["score"]) == (2, 2, 4.0, 0.5)


def test_neither_csv_nor_a_table_does_what_a_name_says():
    found = ("=1+1.png", [("=cmd", 0.5, [0.0, 0.0, 1.0, 1.0])])
    (row,) = csv.DictReader(io.StringIO(written("csv", found)))
    assert (row["file"], row["label"]) == ("'=1+1.png", "'=cmd")
    assert "\x1b" not in written("table", ("\x1b[2J.png", [("\x1b]0;x", 0.5, [0.0, 0.0, 1.0, 1.0])]))
