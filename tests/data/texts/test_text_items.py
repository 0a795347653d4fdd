import json
import sys
from types import SimpleNamespace

import pandas
import pytest

from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.data.texts.text_items import find_text_items
from tl_keras.errors import InputError


def texts(*arguments, **options):
    return [item.text for item in find_text_items([str(argument) for argument in arguments], **options)]


def write(path, content):
    path.write_text(content, encoding="utf-8")
    return path


def test_empty_texts_are_left_out_with_a_note(tmp_path, capsys):
    path = write(tmp_path / "texts.txt", "good one\n\n  bad one \n")
    assert texts(path, are_files=True) == ["good one", "  bad one "]
    assert (
        capsys.readouterr().err == f"note: each of the 3 lines of {path} is a text\nnote: 1 empty text was left out\n"
    )
    assert texts("a", "", " ") == ["a"]
    assert capsys.readouterr().err == "note: 2 empty texts were left out\n"


@pytest.mark.parametrize("name", ["texts.txt", "notes.md", "no suffix"])
def test_an_existing_path_is_read_and_not_taken_for_a_text(tmp_path, name):
    assert texts(write(tmp_path / name, "good one\nbad one")) == ["good one", "bad one"]


def test_a_sentence_may_end_like_the_name_of_a_file(tmp_path):
    assert texts("please open notes.txt", "fine", "x" * 5000) == ["please open notes.txt", "fine", "x" * 5000]


@pytest.mark.parametrize("name", ["table.csv", "table.jsonl", "table.parquet"])
def test_a_table_stands_for_its_rows_with_all_columns(tmp_path, name):
    rows = [{"id": 1, "review": "so good", "tags": ["x"]}, {"id": 2, "review": " so bad ", "tags": []}]
    frame = pandas.DataFrame(rows)
    {
        "csv": lambda: frame.to_csv(tmp_path / name, index=False),
        "jsonl": lambda: write(tmp_path / name, "\n".join(map(json.dumps, rows))),
        "parquet": lambda: frame.to_parquet(tmp_path / name),
    }[name.split(".")[1]]()
    items = find_text_items([str(tmp_path / name)], TableColumns(text="review"))
    assert [item.text for item in items] == ["so good", "so bad"]
    assert list(items[0].cells) == ["id", "review", "tags"]
    assert items[1].cells["id"] == ("2" if name == "table.csv" else 2)


def test_a_folder_stands_for_its_files(tmp_path):
    (tmp_path / "more").mkdir()
    first, second = write(tmp_path / "1.txt", "good\nfilm\n"), write(tmp_path / "more" / "2.txt", "bad film")
    write(tmp_path / "ignored.png", "")
    items = find_text_items([str(tmp_path)])
    assert [item.text for item in items] == ["good\nfilm", "bad film"]
    assert [item.cells["file"] for item in items] == [str(first), str(second)]


def test_all_items_have_the_same_columns(tmp_path):
    first, second = find_text_items(["so good", str(write(tmp_path / "t.csv", "id,text\n1,so bad\n"))])
    assert (first.cells, second.cells) == ({"text": "so good", "id": None}, {"text": "so bad", "id": "1"})


def test_pairs_come_from_tables(tmp_path):
    columns = TableColumns(text="a", second_text="b")
    table = write(tmp_path / "pairs.csv", "a,b\nfilm,good\nfilm,\n")
    assert texts(table, columns=columns) == [("film", "good")]
    with pytest.raises(InputError, match="takes pairs of texts, got 'film': give a table with the columns 'a' and 'b'"):
        texts("film", columns=columns)


def test_the_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=SimpleNamespace(read=lambda: b"a\nb\n")))
    assert texts("-") == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe\x00", "is not UTF-8"),
        ("a.txt", b"\n \n", "No text found"),
        ("a.txt", None, "Cannot read .*no such file or folder"),
        ("a.csv", None, "Cannot read .*no such file or folder"),
        ("a.csv", b"text,id,id\na,1,2\n", "2 columns of the name 'id'"),
        ("a.csv", b"review\na\n", "no column 'text', only 'review'; .*--text_column"),
        ("a.jsonl", b'{"text": ["a", "b"]}', "a list in place of a text at line 1"),
        ("a.jsonl", b'{"text": []}', "a list in place of a text at line 1"),
        ("folder", None, "No .txt file found in the folder .* a text of this name is read from the standard input"),
    ],
)
def test_files_without_readable_texts_are_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        texts(path)


def test_what_is_given_as_files_must_exist():
    with pytest.raises(InputError, match="Cannot read 'a text'"):
        texts("a text", are_files=True)


@pytest.mark.parametrize("name", ["missing.png", "photo.JPG"])
def test_an_image_is_refused(tmp_path, name):
    write(tmp_path / "photo.JPG", "")
    with pytest.raises(InputError, match="is an image, but this run takes texts"):
        texts(tmp_path / name)
