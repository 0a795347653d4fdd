import json
import time

import pandas
import pytest

from tl_keras.data.reading.table_cells import has_column, read_columns, read_rows
from tl_keras.errors import InputError

COLUMNS = {"data.text_column": "text", "data.label_column": "label", "data.split_column": "split"}
ROWS = [{"text": " fine\u2028day ", "label": 1, "other": [1]}, {"text": None, "label": ["x", "y "]}]


def write(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json_lines(tmp_path):
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    assert read_columns(write(tmp_path, text, "data.jsonl"), COLUMNS) == (
        ("line 1", "line 3"),
        {"text": ["fine\u2028day", ""], "label": ["1", ["x", "y"]], "split": ["", ""]},
    )


def test_parquet(tmp_path):
    frame = pandas.DataFrame({"text": ["fine", None], "label": [["x"], ["y", "z"]], "other": [1, 2]})
    frame.to_parquet(tmp_path / "data.parquet")
    assert read_columns(tmp_path / "data.parquet", COLUMNS) == (
        ("row 1", "row 2"),
        {"text": ["fine", ""], "label": [["x"], ["y", "z"]], "split": ["", ""]},
    )


def test_all_lines_that_are_not_json_objects_are_named(tmp_path):
    lines = ['{"text": "a"}', '{"text": "b"', "[1]", "[" * 100_000, "text"]
    message = "no valid JSON object at line 2, line 3, line 4, line 5: .*; no column 'label'"
    with pytest.raises(InputError, match=message):
        read_columns(write(tmp_path, "\n".join(lines), "data.jsonl"), COLUMNS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Text,label\na,b\n", "no column 'text'.*--data.text_column Text"),
        ("words,label\na,b\n", "name the right one with --data.text_column"),
        ("text\tlabel\na\tb\n", "seems to have tabs between its columns: save it with commas"),
        ("text,label,text\na,b,c\n", "2 columns of the name 'text'"),
        ("text,label\n", "no rows"),
        ("", "is empty: expected column names and at least one row"),
    ],
)
def test_bad_headers(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_columns(write(tmp_path, text), COLUMNS)
    assert "\n" not in str(caught.value)


def test_unused_columns_may_be_duplicated(tmp_path):
    _, cells = read_columns(write(tmp_path, "text,label,,\na,b,,\n"), COLUMNS)
    assert cells == {"text": ["a"], "label": ["b"], "split": [""]}


def test_has_column(tmp_path):
    (tmp_path / "table.csv").write_text("text,label\na,b\n", encoding="utf-8")
    table, flag = tmp_path / "table.csv", "data.label_column"
    assert has_column(table, flag, "label") and not has_column(table, flag, "lab")
    with pytest.raises(InputError, match="did you mean --data.label_column label"):
        has_column(table, flag, "Label")


def test_numbers_and_bytes_become_text(tmp_path):
    frame = pandas.DataFrame({"text": [b"good", "caf\u00e9".encode()], "label": [1.0, None]})
    frame.to_parquet(tmp_path / "data.parquet")
    _, cells = read_columns(tmp_path / "data.parquet", COLUMNS)
    assert cells == {"text": ["good", "caf\u00e9"], "label": ["1", ""], "split": ["", ""]}
    lines = '{"text": "a", "label": 1}\n{"text": "b", "label": 1.0}\n{"text": "c", "label": 0.5}'
    _, cells = read_columns(write(tmp_path, lines, "data.jsonl"), COLUMNS)
    assert cells["label"] == ["1", "1", "0.5"]


def test_a_column_for_each_class_is_suggested_where_the_labels_are_missing(tmp_path):
    with pytest.raises(InputError, match=r'--data.label_column "\[red, blue\]", with --data.multi_label'):
        read_columns(write(tmp_path, "text,red,blue\na,0,1\nb,1,1\n"), COLUMNS)


def test_messages_quote_little_of_a_cell(tmp_path):
    with pytest.raises(InputError) as caught:
        read_columns(write(tmp_path, f"{'x' * 5000},label\na,b\n"), COLUMNS)
    assert len(str(caught.value)) < 500
    row = json.dumps({"text": "a", "label": {"name": "x" * 5000}})
    with pytest.raises(InputError, match=r"an object in a cell at line 1 \(") as caught:
        read_columns(write(tmp_path, row, "data.jsonl"), COLUMNS)
    assert len(str(caught.value)) < 500


def test_cells_that_are_not_text_are_refused_with_their_place(tmp_path):
    with pytest.raises(InputError, match="a list inside of a list at line 1"):
        read_columns(write(tmp_path, '{"text": "a", "label": [["x", "y"]]}', "data.jsonl"), COLUMNS)
    pandas.DataFrame({"text": [b"\xff\xfe"], "label": ["a"]}).to_parquet(tmp_path / "data.parquet")
    with pytest.raises(InputError, match="bytes that are not UTF-8 text at row 1"):
        read_columns(tmp_path / "data.parquet", COLUMNS)


@pytest.mark.parametrize("cell", ["[" * 500 + "]" * 500, "9" * 400])
def test_cells_that_no_writer_takes_are_refused(tmp_path, cell):
    table = write(tmp_path, f'{{"text": "a", "label": 1}}\n{{"text": "b", "label": 2, "x": {cell}}}\n', "data.jsonl")
    with pytest.raises(InputError, match="no valid JSON object at line 2"):
        read_columns(table, COLUMNS)


def test_the_time_of_many_columns_is_not_that_of_their_pairs(tmp_path):
    names = ["text", "label", *map(str, range(30_000))]
    table, start = write(tmp_path, f"{','.join(names)}\n{','.join('a' * len(names))}\n"), time.process_time()
    ((_, row, texts),) = read_rows(table, COLUMNS)
    assert len(row) == len(names) and texts["text"] == "a"
    assert time.process_time() - start < 5
    with pytest.raises(InputError, match="2 columns of the name '7'"):
        list(read_rows(write(tmp_path, "text,label,7,7\na,b,1,2\n"), COLUMNS))
