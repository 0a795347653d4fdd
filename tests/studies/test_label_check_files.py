import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PIL import Image

from tl_keras.config import RunConfig
from tl_keras.probing.label_errors import LabelErrors
from tl_keras.studies.label_check import LabelCheck
from tl_keras.studies.label_check_files import summary_lines, write_label_check


def make_check(rows, suggested):
    """Makes a check of five images of two classes in two parts; those of the second part are white."""
    part = SimpleNamespace(images=np.zeros((3, 8, 8, 3), "uint8"))
    other = SimpleNamespace(images=np.full((2, 8, 8, 3), 255, "uint8"))
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.95, 0.05], [0.5, 0.5]])
    cells = [("=a.png",), ("b.png",), ("c.png",), ("d.png",), ("e.png",)]
    splits, labels = ["train"] * 3 + ["test"] * 2, np.array([0, 0, 0, 1, 1])
    parts = {"train": part, "test": other}
    errors = LabelErrors(np.array(rows, int), np.array(suggested), np.arange(len(rows)) == 0)
    return LabelCheck(parts, splits, cells, labels, probabilities, errors, ("cat", "dog"))


def test_the_table_names_label_and_suggestion_and_the_sheet_shows_the_image(tmp_path):
    check = make_check([3, 2, 1], [0, 1, 1])
    table, sheet = write_label_check(check, RunConfig(), tmp_path / "new")
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["d.png", "c.png", "b.png"]
    assert (rows[0]["split"], rows[0]["label"], rows[0]["suggested"]) == ("test", "dog", "cat")
    assert [(row["confident"], row["decision"]) for row in rows] == [("yes", ""), ("no", ""), ("no", "")]
    assert (rows[0]["label_probability"], rows[0]["suggested_probability"]) == ("0.0500", "0.9500")
    pixels = np.asarray(Image.open(sheet).convert("L"))
    middle = pixels[60:100]
    assert middle[:, 100].min() > 200, "the first image is that of the second part, white"
    assert middle[:, 350].max() < 50, "the second is black"


def test_names_do_not_become_formulas(tmp_path):
    table, _ = write_label_check(make_check([0], [1]), RunConfig(), tmp_path)
    assert "\n=a" not in table.read_text() and "=a.png" in table.read_text()


def test_the_summary_counts_the_pairs():
    lines = summary_lines(make_check([2, 1, 3], [1, 1, 0]))
    assert lines[0].startswith("3 of 5 labels are suspicious, 1 of them confidently")
    assert lines[1] == "  c.png (train): cat 0.10, suggested dog 0.90"
    assert lines[-1] == "most often: cat → dog (2)"


def test_without_confident_ones_no_share_of_them_is_stated():
    check = make_check([2, 1], [1, 1])
    errors = replace(check.errors, confident=np.zeros(2, bool))
    first = summary_lines(replace(check, errors=errors))[0]
    assert first == "2 of 5 labels are suspicious, none of them confidently; nothing was changed:"


def test_clean_labels_have_no_sheet(tmp_path):
    check = make_check([], [])
    for name in ("label_check.png", "near_duplicates.csv", "far.csv"):
        (tmp_path / name).write_text("of an earlier check")
    (table,) = write_label_check(check, RunConfig(), tmp_path)
    assert list(tmp_path.iterdir()) == [table]
    assert len(table.read_text().splitlines()) == 1
    assert summary_lines(check) == ["None of 5 labels is suspicious."]


def test_other_findings_have_a_line_and_a_table_each(tmp_path):
    check = replace(make_check([], []), near_duplicates=[(0, 3)], far=np.array([4]), inseparable=[(0, 1, 0.52)])
    table, near, far = write_label_check(check, RunConfig(), tmp_path)
    assert near.read_text().splitlines() == [
        "name,split,label,other_name,other_split,other_label",
        "'=a.png,train,cat,d.png,test,dog",
    ]
    assert far.read_text().splitlines() == ["name,split,label", "e.png,test,dog"]
    assert summary_lines(check)[1:] == [
        "1 pair of near-duplicates, 1 of them with different labels and 1 in different splits",
        "1 example is far from all others, first e.png",
        "cat and dog can hardly be distinguished: 52% of them are, and guessing gives 50 %",
    ]
