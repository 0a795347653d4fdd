import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from tl_keras.errors import InputError
from tl_keras.tasks.object_writers import OBJECT_WRITERS, annotated_writer

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


def test_coco_is_one_document():
    document = json.loads(written("coco", ("a.png", []), ("b.png", [CAT, DOG])))
    assert document["images"][1] == {"id": 2, "file_name": "b.png", "height": 30, "width": 40}
    assert document["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    cat, dog = document["annotations"]
    assert (cat["image_id"], cat["category_id"], cat["bbox"]) == (2, 1, [1.0, 2.0, 10.0, 20.0])
    assert (dog["id"], dog["category_id"], dog["area"], dog["score"]) == (2, 2, 4.0, 0.5)


def test_names_without_a_font_are_explained_beside_the_images(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg")
    with annotated_writer(tmp_path / "drawn", ("cat", "\ue123")) as write:
        write(str(tmp_path / "a.jpg"), (30, 40), [CAT])
    assert (tmp_path / "drawn" / "classes.txt").read_text(encoding="utf-8") == "#2 \ue123\n"


def test_images_of_the_same_name_do_not_replace_each_other(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (40, 30)).save(tmp_path / folder / "a.jpg")
    with annotated_writer(tmp_path / "drawn", ("cat", "dog")) as write:
        write(str(tmp_path / "one" / "a.jpg"), (30, 40), [CAT])
        write(str(tmp_path / "other" / "a.jpg"), (30, 40), [])
    first, second = (np.asarray(Image.open(tmp_path / "drawn" / name)) for name in ("a.png", "a-2.png"))
    assert first.shape == (330, 440, 3) and first.any() and not second.any()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="give --annotated a folder"), annotated_writer(tmp_path / "file", ()):
        pass


def test_neither_csv_nor_a_table_does_what_a_name_says():
    found = ("=1+1.png", [("=cmd", 0.5, [0.0, 0.0, 1.0, 1.0])])
    (row,) = csv.DictReader(io.StringIO(written("csv", found)))
    assert (row["file"], row["label"]) == ("'=1+1.png", "'=cmd")
    assert "\x1b" not in written("table", ("\x1b[2J.png", [("\x1b]0;x", 0.5, [0.0, 0.0, 1.0, 1.0])]))
