import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tl_keras import evaluation
from tl_keras.config.parsing import parse
from tl_keras.data import Records
from tl_keras.studies.next_labels import NextLabels
from tl_keras.studies.next_labels_files import summary_lines, write_next_labels


def make_chosen(sources, names, images=(), probabilities=None):
    records = Records(sources, names, np.zeros(len(names), int), ["test"] * len(names), ("unlabelled",))
    class_names = ("cat", "dog") if probabilities is not None else ()
    return NextLabels(records, list(images), probabilities, class_names, 9, 2, [("x.png", "it is empty")])


def test_images_with_a_head_are_written_in_four_forms(tmp_path):
    images, probabilities = [np.zeros((8, 8, 3), "uint8")] * 2, np.array([[0.4, 0.6], [0.9, 0.1]])
    chosen = make_chosen(["/p/=a b.png", "/p/c.png"], ["=a b.png", "c.png"], images, probabilities)
    table, lines, tasks, sheet = write_next_labels(chosen, parse([]), tmp_path / "new")
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {"path": "'=a b.png", "label": "", "rank": "1", "uncertainty": "0.8", "suggested": "dog"}
    assert rows[0] == expected | {"probability": "0.6"}
    assert json.loads(lines.read_text().splitlines()[1])["suggested"] == "cat"
    first, second = json.loads(tasks.read_text())
    assert first["data"] == {"image": "/data/local-files/?d=%3Da%20b.png", "path": "=a b.png"}
    assert first["predictions"][0]["score"] > second["predictions"][0]["score"]
    assert first["predictions"][0]["result"][0]["value"] == {"choices": ["dog"]}
    assert Image.open(sheet).size[0] > 100
    assert summary_lines(chosen)[:3] == [
        "2 of 9 examples to label next, diverse and uncertain; nothing was copied:",
        "  probably cat 1; dog 1",
        "  2 of the pool are labelled already or equal others",
    ]
    assert "x.png (it is empty)" in summary_lines(chosen)[3]


def test_the_plot_shows_numbers_for_classes_without_letters(tmp_path, monkeypatch):
    captions, names = [], ("\ue123", "\ue124")
    monkeypatch.setattr(evaluation, "plot_contact_sheet", lambda images, notes, path: captions.extend(notes))
    images, probabilities = [np.zeros((8, 8, 3), "uint8")] * 2, np.array([[0.4, 0.6], [0.9, 0.1]])
    chosen = make_chosen(["/p/a.png", "/p/c.png"], ["a.png", "c.png"], images, probabilities)
    chosen = replace(chosen, class_names=names)
    write_next_labels(chosen, parse([]), tmp_path)
    assert captions == [("a.png", "#2"), ("c.png", "#1")]
    assert summary_lines(chosen)[2].endswith(f"plots show numbers: #1 {names[0]}, #2 {names[1]}.")


@pytest.mark.parametrize(("flags", "source"), [([], "one"), (["--text.second_text_column", "other"], ("one", "two"))])
def test_texts_without_labels_have_no_suggestion(tmp_path, flags, source):
    chosen = make_chosen([source], ["1"])
    (tmp_path / "next.png").write_text("of an earlier call")
    paths = write_next_labels(chosen, parse(["--task", "text_classification", *flags]), tmp_path)
    assert set(tmp_path.iterdir()) == set(paths)
    assert [path.name for path in paths] == ["next.csv", "next.jsonl", "label_studio.json"]
    (task,) = json.loads(paths[2].read_text())
    assert task["data"] == ({"text": "one", "other": "two"} if flags else {"text": "one"})
    assert task["predictions"] == [{"model_version": "tl_keras", "score": 1.0, "result": []}]
    assert "typical of clusters" in summary_lines(chosen)[0]
