import json

import pytest

from tests.explanation.explanation_cases import detection_explanation, image_explanation, text_explanation
from tl_keras.explanation.files import _renamed, write_explanations
from tl_keras.explanation.heat_maps import caption


def test_images_become_plots_and_records(tmp_path):
    explained = [("a/x.png", image_explanation()), ("b/x.png", image_explanation("dog"))]
    lines, paths = write_explanations(explained, "Explanations of run", tmp_path)
    assert lines == ["a/x.png: cat 0.900", "b/x.png: cat 0.900, explained: dog 0.100"]
    assert [path.name for path in paths] == ["001-x.png", "002-x.png", "explanations.json"]
    record = json.loads(paths[-1].read_text())[1]
    assert (record["item"], record["plot"], record["class"]) == ("b/x.png", "002-x.png", "dog")
    assert record["heat_map"] == [[0.0, 0.2], [0.5, 1.0]]


def test_control_characters_of_names_are_escaped(tmp_path):
    lines, paths = write_explanations([("a/red\nx.png", image_explanation())], "Explanations of run", tmp_path)
    assert lines == ["a/red\\nx.png: cat 0.900"] and paths[0].name == "001-red_nx.png"


STRANGE = ("\ue123", "\ue124")
"""Class names of letters that no font has."""


@pytest.mark.parametrize("kind", ["image", "detections"])
def test_plots_show_numbers_for_names_without_letters(tmp_path, monkeypatch, kind):
    drawn = []
    monkeypatch.setattr("tl_keras.explanation.files.plot_heat_map", lambda one, path: drawn.append(caption(one)))
    one = image_explanation("dog") if kind == "image" else detection_explanation()
    one = _renamed(one, {"cat": STRANGE[0], "dog": STRANGE[1]})
    lines, paths = write_explanations([("a/x.png", one)], "Explanations of run", tmp_path, STRANGE)
    expected = "#1 0.900, explained: #2 0.100" if kind == "image" else "#1 0.900, #1 0.800"
    assert drawn == [expected] and STRANGE[0] in lines[0]
    assert lines[1].endswith(f"plots show numbers: #1 {STRANGE[0]}, #2 {STRANGE[1]}.")
    assert json.loads(paths[-1].read_text())[0].get("predicted", STRANGE[0]) == STRANGE[0]


def test_detections_become_a_plot_and_a_record(tmp_path):
    lines, paths = write_explanations([("a/x.png", detection_explanation())], "Explanations of run", tmp_path)
    assert lines == ["a/x.png: cat 0.900, cat 0.800"]
    (record,) = json.loads(paths[-1].read_text())
    assert (record["method"], record["plot"]) == ("ODAM", "001-x.png")
    first, _ = record["detections"]
    assert (first["class"], first["score"], first["box"]) == ("cat", 0.9, [0, 0, 32, 16])
    assert first["heat_map"] == [[0.0, 0.2], [0.5, 1.0]]


def test_texts_become_an_escaped_page_and_records(tmp_path):
    lines, paths = write_explanations([("a <b>bold</b> text", text_explanation())], "Run <1>", tmp_path)
    assert lines == ["good 0.700: <b>bold</b> +0.300, dull -0.110, a +0.010"]
    page = paths[0].read_text(encoding="utf-8")
    assert "<b>" not in page and "&lt;b&gt;bold&lt;/b&gt;" in page and "Run &lt;1&gt;" in page
    assert "<script" not in page
    assert "sum to +0.200" in page
    assert json.loads(paths[1].read_text())[0]["words"][1] == ["<b>bold</b>", 0.3]


def test_incomplete_attributions_are_a_warning(tmp_path):
    lines, paths = write_explanations([("text", text_explanation(gap=0.2))], "Run", tmp_path)
    assert "by 20.0% (more than 1 %)" in lines[1]
    assert "by 20.0% (more than 1 %)" in paths[0].read_text(encoding="utf-8")
