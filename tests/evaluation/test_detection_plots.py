import contextlib

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from tl_keras.evaluation import detection_plots, figures
from tl_keras.evaluation.detection import detection_metrics
from tl_keras.evaluation.figures import BLUE, ORANGE

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), "uint8")
BOXES = [np.array([[2.0, 3, 12, 13]])] * 5
LABELS = [np.array([1])] * 5
NAMES = [f"{row}.png" for row in range(5)]


@pytest.fixture
def drawn(monkeypatch):
    """Collects the saved figures, so that tests can inspect them."""
    saved = []

    @contextlib.contextmanager
    def keep(path, width, height):
        with figures.saved_figure(path, width, height) as figure:
            yield figure
        saved.append(figure)

    monkeypatch.setattr(detection_plots, "saved_figure", keep)
    return saved


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def rectangles(axes):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_boxes_are_drawn_at_their_places_without_padding(tmp_path, drawn):
    boxes = [np.concatenate([BOXES[0], np.zeros((2, 4))])] * 5
    labels = [np.array([1, -1, -1])] * 5
    detection_plots.plot_boxes(IMAGES, boxes, labels, NAMES, ["cat", "$dog"], tmp_path / "b.png", count=3)
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    assert [axes.images[0].get_array().tolist() for axes in drawn[0].axes] == IMAGES[[0, 2, 4]].tolist()
    ((patch,), *_) = (rectangles(axes) for axes in drawn[0].axes)
    assert (patch.get_xy(), patch.get_width(), patch.get_height()) == ((2, 3), 10, 10)
    assert set(texts(drawn[0])) == {"$dog", "0.png", "2.png", "4.png"}


@pytest.mark.parametrize("box", [(0, 0, 9, 9), (28, 0, 32, 5), (28, 28, 32, 32), (0, 30, 5, 32)])
def test_names_of_boxes_at_an_edge_stay_inside(tmp_path, drawn, box):
    name = "a long name of a class"
    detection_plots.plot_boxes(IMAGES[:1], [np.array([box])], [np.array([0])], NAMES[:1], [name], tmp_path / "b.png")
    # Saving has left behind measures at the resolution of the file.
    drawn[0].draw_without_rendering()
    (axes,) = drawn[0].axes
    (label,) = (text for text in axes.texts if text.get_text() == name)
    (left, bottom), (right, top) = label.get_window_extent().transformed(axes.transData.inverted()).get_points()
    assert left >= -0.5 and right <= 32.5 and top >= -0.5 and bottom <= 32.5


def test_names_of_near_boxes_do_not_cover_each_other(tmp_path, drawn):
    boxes, names = np.array([(8, 14, 24, 24), (9, 15, 25, 25)]), ["a name", "another"]
    detection_plots.plot_boxes(IMAGES[:1], [boxes], [np.array([0, 1])], NAMES[:1], names, tmp_path / "b.png")
    drawn[0].draw_without_rendering()
    one, other = (text.get_window_extent() for text in drawn[0].axes[0].texts if text.get_text() in names)
    assert not one.overlaps(other)


def test_crowded_images_have_no_captions(tmp_path, drawn):
    boxes, labels = [np.tile(BOXES[0], (20, 1))], [np.zeros(20, int)]
    detection_plots.plot_boxes(IMAGES[:1], boxes, labels, NAMES[:1], ["cat"], tmp_path / "b.png")
    assert texts(drawn[0]) == ["0.png"] and len(rectangles(drawn[0].axes[0])) == 20


def test_predictions_beside_the_ground_truth_with_most_mistakes_first(tmp_path, drawn):
    right = {"boxes": BOXES[0], "scores": np.array([0.9]), "labels": np.array([1])}
    wrong = {
        "boxes": np.array([[2.0, 3, 12, 13], [20, 20, 30, 30], [0, 0, 9, 9]]),
        "scores": np.array([0.8, 0.7, 0.1]),
        "labels": np.array([0, 1, 1]),
    }
    predictions = [right, right, wrong, right, right]
    detection_plots.plot_detections(
        IMAGES, BOXES, LABELS, predictions, NAMES, ["cat", "dog"], tmp_path / "d.png", count=2
    )
    assert [axes.images[0].get_array().tolist() for axes in drawn[0].axes[::2]] == IMAGES[[2, 0]].tolist()
    colours = [[to_hex(patch.get_edgecolor()) for patch in rectangles(axes)] for axes in drawn[0].axes]
    orange, blue = ORANGE.lower(), BLUE.lower()
    assert colours == [[orange], [orange, orange], [blue], [blue]]
    assert {
        "cat 80 %",
        "dog 70 %",
        "dog 90 %",
        "ground truth, 0 of 1 found",
        "ground truth, 1 of 1 found",
        "predicted in 2.png",
    } <= set(texts(drawn[0]))


def test_images_without_boxes(tmp_path, drawn):
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    detection_plots.plot_detections(
        IMAGES[:1], [np.zeros((0, 4))], [[]], [nothing], NAMES[:1], ["cat"], tmp_path / "d.png"
    )
    assert "ground truth, 0 of 0 found" in texts(drawn[0])


@pytest.mark.parametrize(("classes", "curves"), [(1, 1), (3, 4), (12, 1)])
def test_precision_recall(tmp_path, drawn, classes, curves):
    labels, names = [np.arange(classes)], [f"class {number}" for number in range(classes)]
    boxes = [np.arange(classes)[:, None] * 20.0 + np.array([0, 0, 9, 9])]
    prediction = {"boxes": boxes[0], "scores": np.linspace(0.5, 0.9, classes), "labels": labels[0]}
    metrics = detection_metrics(boxes, labels, [prediction], names)
    detection_plots.plot_precision_recall(metrics, tmp_path / "pr.png")
    (axes,) = drawn[0].axes
    assert len(axes.lines) == curves
    assert ("mean 1.00" in texts(drawn[0])) == (classes > 1) and ("class 0 1.00" in texts(drawn[0])) == (classes < 11)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1.0] * 101)
