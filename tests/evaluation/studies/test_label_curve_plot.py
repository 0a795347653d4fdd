import contextlib

from matplotlib.figure import Figure
from PIL import Image

from tl_keras import evaluation
from tl_keras.evaluation.studies import label_curve_plot


def test_lines_with_and_without_spread_are_drawn(tmp_path):
    curves = [
        ("auto", [50, 200, 400], [0.6, 0.8, 0.9], [0.1, 0.05, 0.02], False),
        ("fine_tuning", [50], [0.5], [None], False),
        ("scratch", [50, 200], [0.3, 0.4], [0.1, 0.1], True),
    ]
    evaluation.plot_label_curves(curves, tmp_path / "plot.png", unit="labels", score="accuracy")
    with Image.open(tmp_path / "plot.png") as image:
        assert image.size == (819, 507)
        colours = {colour for _, colour in image.convert("RGB").getcolors(100_000)}
    assert {(0, 0x72, 0xB2), (0xD5, 0x5E, 0)} <= colours


def test_a_single_number_of_labels_makes_no_axis(tmp_path, monkeypatch):
    figure = Figure()
    monkeypatch.setattr(label_curve_plot, "saved_figure", lambda *arguments: contextlib.nullcontext(figure))
    curves = [("auto", [50], [0.6], [0.1], False), ("scratch", [50], [0.3], [0.1], True)]
    evaluation.plot_label_curves(curves, tmp_path / "plot.png", unit="labels", score="accuracy")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["auto", "scratch"]
    assert axes.get_xlabel() == "with 50 labels for training"
    assert axes.get_xscale() == "linear"
