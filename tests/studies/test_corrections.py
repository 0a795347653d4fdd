import json

import pytest

from tests.data.tiny_images import save_image
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.corrections import write_corrected


@pytest.fixture
def texts(tmp_path):
    """Configuration of a table of four texts."""
    table = tmp_path / "texts.csv"
    table.write_text("text,label,split\none,good,train\ntwo,bad,train\nthree,good,test\nfour,bad,\n")
    return parse([str(table), "--task", "text_classification"])


def decide(tmp_path, *rows):
    path = tmp_path / "label_check.csv"
    path.write_text("\n".join(["name,label,decision", *rows]) + "\n")
    return path


def test_decisions_change_and_drop_examples_of_the_copy(texts, tmp_path):
    path = decide(tmp_path, "line 2,good,bad", "line 3,bad,", "line 4,good,drop")
    copy, changed, dropped = write_corrected(path, texts, None, tmp_path / "out")
    assert (copy, changed, dropped) == (tmp_path / "out" / "training.jsonl", 1, 1)
    rows = [json.loads(line) for line in copy.read_text().splitlines()]
    assert [(row["text"], row["label"]) for row in rows] == [("one", "bad"), ("two", "bad"), ("four", "bad")]
    assert rows[0]["split"] == "train" and "split" not in rows[2]
    assert write_corrected(path, texts, None, tmp_path / "out") == (copy, changed, dropped)
    with pytest.raises(InputError, match="exists and holds other rows"):
        write_corrected(decide(tmp_path, "line 3,bad,good"), texts, None, tmp_path / "out")


def test_the_table_of_a_check_without_suspicious_labels_is_nothing_to_apply(texts, tmp_path):
    with pytest.raises(InputError, match=r"label_check.csv lists no suspicious label: there is nothing to correct"):
        write_corrected(decide(tmp_path), texts, None, tmp_path / "out")


def test_the_escaped_name_of_a_class_is_that_class(tmp_path):
    (tmp_path / "texts.csv").write_text("text,label\none,good\ntwo,=bad\nthree,good\nfour,=bad\n")
    config = parse([str(tmp_path / "texts.csv"), "--task", "text_classification"])
    copy, *_ = write_corrected(decide(tmp_path, "line 2,good,'=bad"), config, None, tmp_path / "out")
    assert [json.loads(line)["label"] for line in copy.read_text().splitlines()] == ["=bad", "=bad", "good", "=bad"]


def test_a_class_with_accents_in_another_encoding_is_that_class(tmp_path):
    (tmp_path / "texts.csv").write_text("text,label\none,caf\u00e9\ntwo,bad\nthree,caf\u00e9\nfour,bad\n")
    config = parse([str(tmp_path / "texts.csv"), "--task", "text_classification"])
    copy, *_ = write_corrected(decide(tmp_path, "line 3,bad,cafe\u0301"), config, None, tmp_path / "out")
    assert [json.loads(line)["label"] for line in copy.read_text().splitlines()][1] == "caf\u00e9"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("line 2,good,baad", "decision in .*label_check.csv .*line 2.* did you mean 'bad'"),
        ("line 9,good,bad", "no example 'line 9'"),
        ("line 2,good,", "No decision found"),
    ],
)
def test_invalid_decisions_are_one_sentence(row, message, texts, tmp_path):
    with pytest.raises(InputError, match=message):
        write_corrected(decide(tmp_path, row), texts, None, tmp_path / "out")


@pytest.mark.parametrize("name", ["label_check", "label_check.png"])
def test_files_that_are_no_table_are_refused(name, texts, tmp_path):
    with pytest.raises(InputError, match=r"expected a table \(.*\.csv.*label_check\.csv"):
        write_corrected(tmp_path / name, texts, None, tmp_path / "out")


@pytest.mark.parametrize("flags", [["--data.multi_label", "true"], ["--data.label_column", "[good, bad]"]])
def test_several_labels_are_refused(flags, texts, tmp_path):
    config = parse([texts.data.path, "--task", "text_classification", *flags])
    with pytest.raises(InputError, match="--apply needs one label per example in one column"):
        write_corrected(decide(tmp_path, "line 2,good,bad"), config, None, tmp_path / "out")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"name": ["line 2"], "decision": "bad"}, "no example"),
        ({"name": "line 2", "decision": ["bad"]}, "decision in"),
    ],
)
def test_lists_in_a_table_name_nothing(row, message, texts, tmp_path):
    (tmp_path / "label_check.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match=message):
        write_corrected(tmp_path / "label_check.jsonl", texts, None, tmp_path / "out")


def test_images_that_skip_leaves_out_are_not_in_the_copy(tmp_path, capsys):
    names = [*(f"{kind}/{number}.png" for kind in ("cat", "dog") for number in range(3)), "cat/bad.png", "dog/none.png"]
    for name in names[:6]:
        save_image(tmp_path / "data" / name)
    (tmp_path / "data" / "cat" / "bad.png").write_text("no image")
    rows = [f"{name},{name[:3]}" for name in names]
    (tmp_path / "data" / "t.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    config = parse([str(tmp_path / "data" / "t.csv"), "--data.on_bad_file", "skip"])
    copy, changed, _ = write_corrected(decide(tmp_path, "cat/0.png,cat,dog"), config, None, tmp_path / "out")
    assert [json.loads(line)["path"] for line in copy.read_text().splitlines()] == names[:6] and changed == 1
    printed = capsys.readouterr().out
    assert "note: 2 images left out of the table, which cannot be read: " in printed and "cat/bad.png (" in printed
