"""Malformed tables of images and texts, which are read correctly or refused with all their problems."""

import json
import os
import re

import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.table import read_table
from tl_keras.data.texts.table import read_text_table
from tl_keras.data.texts.text_items import find_text_items
from tl_keras.errors import InputError

LONG = "word " * 60_000
ACCEPTED = {
    "byte order mark": "\ufefftext,label\ngood,a\nbad,b\n",
    "Windows line ends": "text,label\r\ngood,a\r\nbad,b\r\n",
    "empty lines": "text,label\n\ngood,a\n,\nbad,b\n\n",
    "unused columns with one name": "text,label,x,x\ngood,a,1,2\nbad,b,3,4\n",
    "a field over 128 kB": f"text,label\n{LONG},a\nbad,b\n",
    "quotes over lines": 'text,label\n"good\nor ""fine""",a\nbad,b\n',
    "a class called NA": "text,label\ngood,NA\nbad,b\n",
    "letters in both cases": "text,label\ngood,a\nbad,A\n",
}
REFUSED = {
    "latin-1": ("text,label\nKäse,a\nbad,b\n".encode("latin-1"), "not UTF-8: .*line 2, it looks like latin-1"),
    "UTF-16": ("text,label\ngood,a\n".encode("utf-16"), "it looks like UTF-16"),
    "invalid UTF-8": (b"text,label\ngood,a\n\xc3\x28,b\n", "not UTF-8: byte 0xc3 .* line 3"),
    "a missing column": ("text,lable\ngood,a\n", "no column 'label'.*did you mean --data.label_column lable"),
    "a column twice": ("text,label,text\ngood,a,b\n", "2 columns of the name 'text'"),
    "short rows": ("text,label\ngood,a\nbad\n", r"fewer cells than columns \(2\) at line 3"),
    "long rows": ("text,label\ngood,a\nbad,b,c\n", r"more cells than columns \(2\) at line 3"),
    "an unclosed quote": ('text,label\n"good,a\nbad,b\n', "unclosed double quote in the row that starts at line 2"),
    "a NaN label": (
        "text,label\ngood,a\nbad,b\nfine,NaN\n",
        "the label NaN, which stands for a missing value at line 4",
    ),
    "an empty label": ("text,label\ngood,a\nbad,b\nfine,\n", "no label at line 4"),
    "labels in two cases": ("text,label\ngood,Pos\nfine,pos\nbad,neg\n", "labels that look alike at 'Pos' and 'pos'"),
    "labels with other spaces": ("text,label\nx,so so\ny,so  so\nz,b\n", "labels that look alike"),
    "one class": ("text,label\ngood,a\nbad,a\n", "1 class .a. where 2 or more are expected"),
    "an unknown split": ("text,label,split\ngood,a,trian\nbad,b,\n", r"an unknown split at line 2 \('trian'\)"),
    "bars": ("text|label\ngood|a\n", "seems to have bars between its columns"),
    "nothing": ("", "is empty"),
    "a header alone": ("text,label\n", "has no rows"),
    "a text of NUL": ("text,label\ngo\0od,a\nbad,b\n", "NUL characters at line 2"),
}


@pytest.fixture
def write(tmp_path):
    def make(text, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return path

    return make


@pytest.mark.parametrize("row", ACCEPTED)
def test_accepted(row, write):
    records = read_text_table(write(ACCEPTED[row]))
    assert len(records) == 2 and len(records.class_names) == 2


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row, write):
    text, message = REFUSED[row]
    table = write(text)
    before = table.read_bytes()
    with pytest.raises(InputError, match=message) as caught:
        read_text_table(table)
    assert "\n" not in str(caught.value) and table.read_bytes() == before


def test_all_problems_of_texts_are_reported_in_one_message(write):
    text = "text,label,split\n,a,train\ngood,,train\nbad,nan,trian\nfine,Pos,\nwell,pos,\n"
    with pytest.raises(InputError) as caught:
        read_text_table(write(text))
    parts = (
        "no text at line 2: fill them or remove them;",
        "unknown split at line 4 ('trian')",
        "no label at line 3;",
        "label nan, ",
        "look alike",
    )
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize("value", ["NaN", "null", '""', '" "', "[NaN]"])
def test_json_lines_without_a_label(value, write):
    lines = ['{"text": "a", "label": "x"}', '{"text": "b", "label": "y"}', f'{{"text": "c", "label": {value}}}']
    with pytest.raises(InputError, match="no label at line 3"):
        read_text_table(write("\n".join(lines), "table.jsonl"))


def test_json_lines_with_half_a_character(write):
    rows = [{"text": "a", "label": "x\ud800"}, {"text": "b\ud800", "label": "y"}]
    message = r"half a character .* at line 2: .*; .* broken characters at line 1 \(x\\ud800\)"
    with pytest.raises(InputError, match=message):
        read_text_table(write("\n".join(map(json.dumps, rows)), "table.jsonl"))


@pytest.fixture
def image_folder(tmp_path):
    for name in ("1.png", "2.png", "3.png"):
        save_image(tmp_path / "images" / name)
    (tmp_path / "images" / "page.png").write_text("<html>")
    os.mkfifo(tmp_path / "images" / "pipe.png")
    return tmp_path


GOOD = "path,label\nimages/1.png,cat\nimages/2.png,dog\n"
BAD_PATHS = {
    "absolute": ("/etc/hostname", r"a path out of its folder at line 4 \(/etc/hostname\)"),
    "upwards": ("../x.png", r"a path out of its folder at line 4 \(../x.png\)"),
    "upwards in between": ("images/../../x.png", "a path out of its folder at line 4"),
    "empty": ("", "no path at line 4"),
    "not there": ("images/9.png", r"a path without a file at line 4 \(images/9.png\)"),
    "a folder": ("images", r"a path without a file at line 4 \(images\)"),
    "a pipe": ("images/pipe.png", r"a path without a file at line 4 \(images/pipe.png\)"),
    "NUL": ("a\0b.png", r"a path that no file can have at line 4 \(a\\x00b.png\)"),
}


@pytest.mark.parametrize("row", BAD_PATHS)
def test_bad_paths_are_refused(row, write, image_folder):
    path, message = BAD_PATHS[row]
    with pytest.raises(InputError, match=message):
        read_table(write(f"{GOOD}{path},dog\n"))


def test_all_problems_of_images_are_reported_in_one_message(write, image_folder):
    text = f"{GOOD}images/page.png,dog\nimages/9.png,\n../x.png,nan\n"
    with pytest.raises(InputError) as caught:
        read_table(write(text))
    for part in ("without a file at line 5", "no label at line 5", "out of its folder at line 6", "nan, which stands"):
        assert part in str(caught.value)
    assert "images/page.png (not an image that can be recognised)" in str(caught.value)


def test_missing_files_can_be_left_to_the_decoder(write, image_folder):
    assert len(read_table(write(f"{GOOD}images/9.png,dog\n"), on_bad_file="skip")) == 3


ALL_KINDS = [
    ({"text": "good", "label": "pos"}, None),
    ({"text": {"x": 1}, "label": "neg"}, r"an object in a cell at line 2 \(\{'x': 1\}\)"),
    ({"text": [["a"]], "label": "neg"}, "a list inside of a list at line 3"),
    (7, "no valid JSON object at line 4"),
    ({"text": "", "label": "pos"}, "no text at line 5"),
    ({"text": "c", "label": ""}, "no label at line 6"),
    ({"text": "d", "label": "Pos", "split": "tst"}, r"an unknown split at line 7 \('tst'\)"),
    ({"text": "e", "label": "neg"}, "labels that look alike at 'Pos' and 'pos'"),
]


def check_message(read, path, messages):
    with pytest.raises(InputError) as caught:
        read(path)
    assert [message for message in messages if not re.search(message, str(caught.value))] == []
    assert str(caught.value).startswith(f"The table {path} cannot be used: ")


def test_all_kinds_of_problems_are_in_one_message(tmp_path):
    lines, messages = zip(*ALL_KINDS, strict=True)
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    check_message(read_text_table, tmp_path / "t.jsonl", filter(None, messages))
    rows = ["text,label", "good,pos", "long,pos,x", "short", ",neg", "d,", "e,nan"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    expected = [
        r"more cells than columns \(2\) at line 3",
        r"fewer cells than columns \(2\) at line 4",
        "no text at line 5",
    ]
    check_message(read_text_table, tmp_path / "t.csv", [*expected, "no label at line 6", "the label nan"])


def test_tables_of_images_and_boxes_too(tmp_path):
    save_image(tmp_path / "a.png", 1)
    (tmp_path / "bad.png").write_text("no image")
    rows = ["path,label,split", "a.png,cat,", "a.png", "none.png,dog,", "bad.png,dog,", "a.png,,", "a.png,dog,q"]
    (tmp_path / "i.csv").write_text("\n".join(rows))
    kinds = ["fewer cells", "a path without a file at line 4", "not an image", "no label at line 6", "an unknown split"]
    check_message(read_table, tmp_path / "i.csv", kinds)
    rows = ["path,xmin,ymin,xmax,ymax,label", "a.png,1,1,5,5,cat", "a.png,1,1,5,5,cat,", "a.png,1,1,x,5,cat"]
    (tmp_path / "b.csv").write_text("\n".join([*rows, "a.png,1,1,5,5,", "../b.png,1,1,2,2,cat"]))
    kinds = [r"more cells than columns \(6\) at line 3", "without a number at line 4", "no label at line 5"]
    check_message(find_boxes, tmp_path / "b.csv", [*kinds, "a path out of its folder at line 6"])


def test_a_table_to_predict_too(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": {"x": 1}}\n[]\n{"text": ["a"]}\n{"text": "good"}\n')
    kinds = ["an object in a cell at line 1", "no valid JSON object at line 2", "a list in place of a text at line 3"]
    check_message(lambda path: find_text_items([str(path)]), tmp_path / "t.jsonl", kinds)
