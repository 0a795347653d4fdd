import json
from dataclasses import replace

from tests.studies.comparison.comparisons import make_box_comparison, make_comparison
from tl_keras.studies.comparison.comparison_files import next_lines, write_comparison

ACCURACIES = {"auto": (0.6, 0.8, 0.9), "scratch": (0.3, 0.4, None)}


def test_the_files_say_the_same(tmp_path):
    comparison = make_comparison(ACCURACIES, notes=("max_time ended <it>.",))
    paths = write_comparison(comparison, tmp_path, price_per_hour=2)
    assert [path.name for path in paths] == ["compare.html", "compare.md", "compare.json", "compare.png"]
    page, text = paths[0].read_text(), paths[1].read_text()
    figures = json.loads(paths[2].read_text())
    for wanted in (figures["verdict"], "Labels saved", "price", "0.800 ± 0.010"):
        assert wanted in page and wanted in text
    assert "max_time ended &lt;it&gt;." in page and "<script" not in page and "data:image/png;base64," in page
    first = figures["cells"][0]
    assert (first["method"], first["labels"], len(first["draws"])) == ("auto", 50, 3)
    assert first["gain"]["judged"] == "pays" and first["labels_from_scratch"] == [None, None]


def test_the_table_does_not_control_a_terminal(tmp_path):
    comparison = make_comparison({"auto": (None, None, None)})
    comparison.facts["data"] = "\x1b[2J\u202e"
    write_comparison(comparison, tmp_path)
    text = (tmp_path / "compare.md").read_text(encoding="utf-8")
    assert "\x1b" not in text and "\u202e" not in text and "# Does transfer pay on �[2J�?" in text


def test_nothing_measured_writes_no_plot(tmp_path):
    paths = write_comparison(make_comparison({"auto": (None, None, None)}), tmp_path)
    assert [path.name for path in paths] == ["compare.html", "compare.md", "compare.json"]
    assert next_lines(make_comparison({"scratch": (0.5,) * 3})) == []


def test_further_labels_beyond_the_horizon_are_not_predicted():
    (line,) = next_lines(make_comparison({"auto": (0.5, 0.6, None)}))
    assert line.startswith("More labels for auto, now 0.600 ± 0.010 with 200: 50 more: 0.")
    assert "beyond" not in line
    few = make_comparison({"auto": (0.5, 0.6, 0.7)})
    cells = {cell: replace(result, labels=result.labels // 4) for cell, result in few.results.items()}
    (line,) = next_lines(replace(few, results=cells))
    assert "100 more: 0." in line and line.endswith(
        "; what 200 more bring is beyond twice what was measured (90 % range of a piecewise curve)."
    )


def test_detectors_are_described_by_images_and_precision(tmp_path):
    comparison = make_box_comparison({"progressive_unfreezing": (0.4, 0.6, 0.7), "scratch": (0.1, 0.2, 0.5)})
    write_comparison(comparison, tmp_path)
    text, figures = (tmp_path / "compare.md").read_text(), json.loads((tmp_path / "compare.json").read_text())
    assert figures["verdict"].startswith("Transfer pays with 5 and 20 images and all images: +30.0 points (")
    assert " 50 images reach what takes " in figures["verdict"] and "images from scratch." in figures["verdict"]
    for wanted in ("## AP at IoU 0.5\n", "| 20 images", "## Images saved", "on 100 test images", "More images for"):
        assert wanted in text
    assert "the same detector with random weights" in text and "ccuracy" not in text and "labels" not in text
    assert figures["test_images"] == 100 and list(figures["next_images"]) == ["50", "100", "200"]
    first = figures["cells"][0]
    assert first["images"] == 50 and round(first["mean_average_precision"], 4) == 0.2025
    assert len(first["images_from_scratch"]) == 2
