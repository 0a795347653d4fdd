import csv

import numpy as np

from tl_keras.data import Records
from tl_keras.tasks.text_mistakes import one_line, shorten, worst_text_mistakes, write_mistakes

TEXTS = Records(["fine", "=poor", ("one", "two")], list("abc"), np.array([0, 1, 0]), [""] * 3, ("good", "bad"))
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]], "float32")


def test_mistakes_name_both_classes_the_most_confident_first():
    first, second = worst_text_mistakes(TEXTS, PROBABILITIES)
    assert (first["text"], first["true"], first["predicted"]) == ("=poor", "bad", "good")
    assert second["text"] == "one | two"


def test_without_mistakes_an_older_file_is_removed(tmp_path):
    (tmp_path / "mistakes.csv").write_text("text\n")
    write_mistakes([], tmp_path / "mistakes.csv")
    assert not (tmp_path / "mistakes.csv").exists()


def test_several_labels_are_joined_and_none_is_said():
    texts = Records(["a"], ["a"], np.array([[1, 1]], "uint8"), [""], ("good", "long"))
    [mistake] = worst_text_mistakes(texts, np.array([[0.2, 0.1]], "float32"))
    assert (mistake["true"], mistake["predicted"]) == ("good, long", "none")


def test_formulas_are_escaped_in_csv(tmp_path):
    write_mistakes(worst_text_mistakes(TEXTS, PROBABILITIES), tmp_path / "mistakes.csv")
    with open(tmp_path / "mistakes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["text"] == "'=poor" and rows[0]["true"] == "bad"


def test_long_texts_are_cut():
    assert shorten("abcdef", 3) == "abc …" and shorten("abc", 3) == "abc"
    assert one_line("a") == "a"
