import csv
import io
import json

import numpy as np
import pytest

from tl_keras.data.texts.text_items import TextItem
from tl_keras.errors import InputError
from tl_keras.tasks.label_writers import LABEL_WRITERS, MAX_SHOWN

LABELS = [("good", 0.75), ("bad", 0.25)]


def written(name, item, kind="text", cells=None, min_confidence=None):
    stream = io.StringIO()
    if kind == "text":
        item = TextItem(item, cells or {"text": item})
    with LABEL_WRITERS[name](stream, 2, kind, min_confidence) as write:
        write(item, LABELS)
    return stream.getvalue()


def test_a_table_keeps_a_text_on_one_short_line():
    assert written("table", "so\n much ") == "so much  good 75.0%  bad 25.0%\n"
    long = written("table", "x" * (MAX_SHOWN + 1))
    assert long.startswith("x" * MAX_SHOWN + " …  good") and long.count("\n") == 1


def test_a_table_leaves_the_name_of_a_file_as_it_is():
    assert written("table", "a  b.png", "file") == "a  b.png  good 75.0%  bad 25.0%\n"


def test_csv_quotes_what_needs_it():
    (row,) = csv.DictReader(io.StringIO(written("csv", 'so, "much"')))
    assert row["text"] == 'so, "much"' and (row["label_1"], row["probability_2"]) == ("good", "0.250000")


def test_jsonl_holds_all_of_a_text():
    line = json.loads(written("jsonl", "x" * 500))
    assert len(line["text"]) == 500 and line["labels"][0] == {"label": "good", "probability": 0.75}


@pytest.mark.parametrize("item", ["=1+1", "@SUM(A1)", "-A2"])
def test_csv_holds_no_formula(item):
    stream = io.StringIO()
    with LABEL_WRITERS["csv"](stream, 1, "text") as write:
        write(TextItem(item, {"text": item, "=note": 1}), [("=cmd|' /C calc'!A0", 0.5)])
    (row,) = csv.DictReader(io.StringIO(stream.getvalue()))
    assert (row["text"], row["label_1"]) == (f"'{item}", "'=cmd|' /C calc'!A0")
    assert row["'=note"] == "1"
    assert row["probability_1"] == "0.500000"


def test_a_table_commands_no_terminal():
    assert written("table", "\x1b[2J.png", "file").startswith("\N{REPLACEMENT CHARACTER}[2J.png  good")


@pytest.mark.parametrize(("form", "key"), [("csv", "file"), ("jsonl", "file")])
def test_what_programs_read_keeps_the_exact_name_of_a_file(form, key):
    text, name = written(form, "\x1b[2J.png", "file"), "\x1b[2J.png"
    (row,) = csv.DictReader(io.StringIO(text)) if form == "csv" else [json.loads(text)]
    assert row[key] == name


ROW = {"id": 7, "review": "so good", "tags": ["a", "b"], "empty": None, "half": "x\ud800"}


def test_csv_keeps_the_columns_of_a_table():
    (row,) = csv.DictReader(io.StringIO(written("csv", "so good", cells=ROW)))
    assert list(row)[:6] == [*ROW, "label_1"]
    assert (row["id"], row["tags"], row["empty"], row["half"]) == ("7", '["a", "b"]', "", "x\ufffd")


def test_a_half_of_a_character_in_the_name_of_a_column_is_replaced_in_csv():
    assert "\ufffd" in next(csv.reader(io.StringIO(written("csv", "so good", cells=ROW | {"\ud800": 1}))))


def test_jsonl_keeps_the_values_of_a_table():
    line = json.loads(written("jsonl", "so good", cells=ROW | {"array": np.array([1, 2])}))
    assert line | {"half": "x\ud800"} == ROW | {"array": [1, 2], "labels": line["labels"]}


@pytest.mark.parametrize(("form", "column"), [("csv", "label_1"), ("jsonl", "labels")])
def test_a_column_named_like_the_predictions_is_refused(form, column):
    with pytest.raises(InputError, match=f"has a column '{column}', as the predictions would: rename it"):
        written(form, "so good", cells={"text": "so good", column: 1})


def test_csv_has_a_header_without_any_item():
    stream = io.StringIO()
    with LABEL_WRITERS["csv"](stream, 1, "file"):
        pass
    assert stream.getvalue() == "file,label_1,probability_1\n"


@pytest.mark.parametrize(("min_confidence", "decision"), [(0.75, "good"), (0.76, "unsure")])
def test_every_format_has_the_decision_beside_the_probabilities(min_confidence, decision):
    table = written("table", "so", min_confidence=min_confidence)
    assert table == f"so  {decision}:  good 75.0%  bad 25.0%\n"
    (row,) = csv.DictReader(io.StringIO(written("csv", "so", min_confidence=min_confidence)))
    assert list(row) == ["text", "decision", "label_1", "probability_1", "label_2", "probability_2"]
    assert (row["decision"], row["label_1"], row["probability_1"]) == (decision, "good", "0.750000")
    line = json.loads(written("jsonl", "so", min_confidence=min_confidence))
    assert list(line) == ["text", "decision", "labels"] and line["decision"] == decision
    assert line["labels"][0] == {"label": "good", "probability": 0.75}


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_a_column_of_the_name_of_the_decision_is_refused_only_beside_one(name):
    cells = {"text": "so", "decision": 1}
    assert written(name, "so", cells=cells)
    with pytest.raises(InputError, match="has a column 'decision'"):
        written(name, "so", cells=cells, min_confidence=0.5)
