import json

import pytest

from tl_keras.cli.former_predictions import refuse_other_file
from tl_keras.data.texts.text_items import TextItem
from tl_keras.errors import InputError
from tl_keras.tasks.label_writers import LABEL_WRITERS
from tl_keras.tasks.object_writers import OBJECT_WRITERS

LABELS, OBJECTS = [("cat", 0.75), ("dog", 0.25)], [("cat", 0.75, [0.0, 1.0, 2.0, 3.0])]
ITEMS = ["a.png", TextItem("one", {"text": 'a "quoted"\nline', "id": 7})]


def written(path, writer, *rows):
    with open(path, "w", newline="") as stream, writer(stream) as write:
        for row in rows:
            write(*row)
    return str(path)


@pytest.mark.parametrize("format", LABEL_WRITERS)
@pytest.mark.parametrize("item", ITEMS, ids=["image", "text"])
@pytest.mark.parametrize("minimum", [None, 0.9])
def test_labels_of_an_earlier_call_may_be_replaced(format, item, minimum, tmp_path):
    path = written(tmp_path / "p", lambda stream: LABEL_WRITERS[format](stream, 2, "file", minimum), (item, LABELS))
    refuse_other_file(path, format)


@pytest.mark.parametrize("format", OBJECT_WRITERS)
@pytest.mark.parametrize("objects", [OBJECTS, []], ids=["one", "none"])
def test_detections_of_an_earlier_call_may_be_replaced(format, objects, tmp_path):
    def writer(stream):
        return OBJECT_WRITERS[format](stream, ["cat"])

    refuse_other_file(written(tmp_path / "p", writer, ("a.png", (8, 8), objects)), format)
    refuse_other_file(written(tmp_path / "empty", writer), format)


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("csv", "path,label\na.png,cat\n"),
        ("csv", "file,label,xmin,ymin,xmax,ymax\na.png,cat,0,0,1,1\n"),
        ("csv", "\0"),
        ("jsonl", '{"text": "good", "label": "x"}\n'),
        ("jsonl", '{"text": "good", "labels": ["x", "y"]}\n'),
        ("jsonl", '{"file": "a.png", "objects": [{"label": "cat", "box": [0, 0, 1, 1]}]}\n'),
        ("jsonl", "[" * 100_000),
        ("coco", json.dumps({"images": [], "annotations": [], "categories": []})),
        ("table", "buy milk\n"),
        ("table", "a.png  cat 75.0%\nand a note\n"),
        ("table", b"\xff\xfe\x00"),
    ],
)
def test_any_other_file_stays(format, content, tmp_path):
    path = tmp_path / "p"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match="exists and holds no predictions of this format: give another file"):
        refuse_other_file(str(path), format)


def test_a_folder_is_refused_and_a_new_or_an_empty_file_taken(tmp_path):
    (tmp_path / "empty").touch()
    for path in (None, str(tmp_path / "empty"), str(tmp_path / "new.csv")):
        refuse_other_file(path, "csv")
    for path, shown in ((str(tmp_path), "predictions.csv"), (f"{tmp_path}/new/", "new/predictions.csv")):
        with pytest.raises(InputError, match=f"is a folder: give a file in it, such as .*{shown}'"):
            refuse_other_file(path, "csv")
    refuse_other_file(str(tmp_path), "parquet")


def test_a_long_file_is_recognised_by_its_start(tmp_path, monkeypatch):
    monkeypatch.setattr("tl_keras.cli.former_predictions.MAX_START", 60)
    (tmp_path / "p").write_text(f"{'a.png  cat 75.0%' + chr(10)}" * 100)
    refuse_other_file(str(tmp_path / "p"), "table")
