import json

import pytest

from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.data.texts.table import read_text_table
from tl_keras.errors import InputError


def write(tmp_path, text, name="data.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_csv_with_splits(tmp_path):
    records = read_text_table(write(tmp_path, 'text,label,split\n"Good, \nreally ",pos,train\nbad,neg,val\n'))
    assert records.sources == ["Good, \nreally", "bad"]
    assert records.names == ["line 2", "line 4"]
    assert records.class_names == ("neg", "pos") and records.labels.tolist() == [1, 0]
    assert records.splits == ["train", "validation"]


def test_byte_order_mark(tmp_path):
    assert read_text_table(write(tmp_path, "text,label\na,x\nb,y\n", encoding="utf-8-sig")).sources == ["a", "b"]


def test_pairs(tmp_path):
    table = write(tmp_path, "premise\tguess\tverdict\na\tb\tx\nc\td\ty\n", "data.tsv")
    records = read_text_table(table, TableColumns(text="premise", second_text="guess", label="verdict"))
    assert records.sources == [("a", "b"), ("c", "d")]


def test_multi_label_json_lines(tmp_path):
    rows = [{"text": "a", "label": ["x", "y"]}, {"text": "b", "label": "y"}, {"text": "c"}]
    table = write(tmp_path, "\n".join(map(json.dumps, rows)), "data.jsonl")
    records = read_text_table(table, TableColumns(multi_label=True))
    assert records.class_names == ("x", "y") and records.labels.tolist() == [[1, 1], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("texts,label\na,x\n", "no column 'text'.*--text.text_column texts"),
        ("text,label\na,x\n,y\n ,y\n", "no text at line 3, line 4"),
        ("text,label\na,x\nb,\n", "no label at line 3"),
        ("text,label\na,x\nb,x\n", "1 class .x. where 2"),
        ("text,label\na\0,x\nb,y\n", "NUL characters at line 2"),
        ('text,label\n"a,x\nb,y\n', "unclosed double quote in the row that starts at line 2"),
        ("", "is empty: expected column names"),
        ("text;label\na;x\n", "1 class \\(x\\) where 2 or more"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_text_table(write(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("encoding", "hint"), [("latin-1", "line 3, it looks like latin-1"), ("utf-16", "UTF-16")])
def test_wrong_encoding(tmp_path, encoding, hint):
    table = write(tmp_path, "text,label\na,x\nKäse,y\n", encoding=encoding)
    with pytest.raises(InputError, match=f"not UTF-8: .*{hint}; save it as UTF-8"):
        read_text_table(table)


def test_missing_second_column(tmp_path):
    with pytest.raises(InputError, match="no column 'answer'.*--text.second_text_column"):
        read_text_table(write(tmp_path, "text,label\na,x\nb,y\n"), TableColumns(second_text="answer"))


def test_a_text_of_four_megabytes(tmp_path):
    records = read_text_table(write(tmp_path, f"text,label\n{'word ' * 800_000},x\nb,y\n"))
    assert len(records.sources[0]) == 3_999_999
