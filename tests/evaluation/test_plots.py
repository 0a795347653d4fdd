import contextlib

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from tl_keras.evaluation import figures, plots

PNG = b"\x89PNG"


@pytest.fixture
def drawn(monkeypatch):
    """Collects the saved figures, so that tests can inspect them."""
    saved = []

    @contextlib.contextmanager
    def keep(path, width, height):
        with figures.saved_figure(path, width, height) as figure:
            yield figure
        saved.append(figure)

    monkeypatch.setattr(plots, "saved_figure", keep)
    return saved


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("count", [2, 12, 60, 130])
def test_confusion_matrix_for_few_and_many_classes(tmp_path, drawn, count, recwarn):
    matrix = np.eye(count, dtype=int) * 1234
    matrix[0, 1] = 77
    names = [f"class {index}" for index in range(count)]
    plots.plot_confusion_matrix(matrix, names, tmp_path / "matrix.png")
    assert (tmp_path / "matrix.png").read_bytes().startswith(PNG)
    written = texts(drawn[0])
    assert ("77" in written) == (count <= plots.MAX_NUMBERED_CLASSES)
    assert ("class 1" in written) == (count <= plots.MAX_NAMED_CLASSES)
    assert {"class 0", "94 %", "100 %", f"{1234 * count} of {1234 * count + 77} right"} <= set(written)
    assert not recwarn.list


def test_confusion_matrix_colours_right_wrong_and_empty_cells_differently(tmp_path, drawn):
    plots.plot_confusion_matrix([[98, 2], [0, 0]], ["a", "b"], tmp_path / "matrix.png")
    (right, wrong), (empty, _) = drawn[0].axes[0].images[0].get_array()[..., :3]
    assert right[2] > right[0] + 0.2
    assert wrong[0] > wrong[2] + 0.05
    assert to_hex(empty) == "#ffffff"
    assert {"98 %", "–"} <= set(texts(drawn[0]))


def test_names_are_not_rendered_as_formulas(tmp_path, drawn):
    names = ["$5_bill$", "a name much too long for the margin"]
    plots.plot_confusion_matrix([[1, 1], [0, 1]], names, tmp_path / "m.png")
    assert {"$5_bill$", "a name much…the margin"} <= set(texts(drawn[0]))


def test_mistakes_are_captioned_most_confident_first(tmp_path, drawn):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), "uint8")
    probabilities = [[0.9, 0.1], [0.97, 0.03], [0.4, 0.6], [0.3, 0.7]]
    plots.plot_mistakes(images, [1, 1, 0, 1], probabilities, list("wxyz"), ["cat", "dog"], tmp_path / "m.png", count=2)
    assert texts(drawn[0]) == ["dog", "→ cat 97 %", "x", "dog", "→ cat 90 %", "w"]
    shown = [axes.images[0].get_array() for axes in drawn[0].axes]
    np.testing.assert_array_equal(shown, images[[1, 0]])


def test_multi_label_mistakes_name_missed_and_invented_labels(tmp_path, drawn):
    labels, probabilities = [[1, 1, 0], [0, 0, 0]], [[0.9, 0.2, 0.1], [0.1, 0.7, 0.1]]
    plots.plot_mistakes(np.zeros((2, 8, 8, 3)), labels, probabilities, "xy", ["cat", "dog", "owl"], tmp_path / "m.png")
    assert texts(drawn[0]) == ["cat + dog", "→ not dog 80 %", "x", "none", "→ dog 70 %", "y"]


def test_images_are_read_one_at_a_time(tmp_path):
    class Lazy:
        read = []

        def __getitem__(self, index):
            self.read.append(index)
            assert type(index) is int
            return np.zeros((8, 8, 3), "uint8")

    plots.plot_mistakes(Lazy(), [0, 1, 1], np.eye(2)[[0, 0, 1]], "abc", ["cat", "dog"], tmp_path / "m.png")
    assert Lazy.read == [1]


def test_no_mistakes_still_give_a_plot(tmp_path, drawn):
    plots.plot_mistakes([], [0, 1], np.eye(2), ["a", "b"], ["cat", "dog"], tmp_path / "m.png")
    assert texts(drawn[0]) == ["No mistakes in 2 examples."]


HISTORY = {
    "loss": [2.0, 1.0, 0.5],
    "accuracy": [0.3, 0.6, 0.9],
    "val_loss": [2.0, 1.25, 1.5],
    "val_accuracy": [0.2, 0.5, 0.4],
}


def test_history_draws_each_metric_with_phases_and_best_epoch(tmp_path, drawn):
    plots.plot_history(HISTORY | {"learning_rate": [1, 1, 1]}, [("head", 1, 1), ("block5", 2, 3)], tmp_path / "h.png")
    assert [axes.get_title(loc="left") for axes in drawn[0].axes] == ["Loss", "Accuracy"]
    written = texts(drawn[0])
    assert {"head", "block5", "validation, best 1.25 at epoch 2", "validation, best 0.5 at epoch 2"} <= set(written)
    np.testing.assert_array_equal(drawn[0].axes[0].lines[0].get_xydata(), [[1, 2], [2, 1], [3, 0.5]])
    assert [patch.get_x() for patch in drawn[0].axes[0].patches] == [0.5, 1.5]


def test_no_best_epoch_is_marked_for_a_metric_of_unknown_direction(tmp_path, drawn):
    plots.plot_history(
        {"gain": [1.0, 2.0], "val_gain": [2.0, 1.0], "mae": [1, 2], "val_mae": [3, 2]}, [], tmp_path / "h.png"
    )
    assert {"validation", "validation, best 2 at epoch 2"} <= set(texts(drawn[0]))


def test_the_best_epoch_is_that_of_the_metric_and_not_of_its_name(tmp_path, drawn):
    directions = {"loss": None, "accuracy": "min", "val_accuracy": "min"}
    plots.plot_history(HISTORY, [], tmp_path / "h.png", directions)
    assert {"validation, best 1.25 at epoch 2", "validation, best 0.2 at epoch 1"} <= set(texts(drawn[0]))


@pytest.mark.parametrize(
    "history",
    [
        {},
        {"loss": [1.0]},
        {"loss": [1.0, 0.5]},
        HISTORY | {"val_loss": [float("nan")] * 3},
        HISTORY | {"val_loss": []},
        HISTORY | {"accuracy": [None, 0.5, 0.6], "val_accuracy": [None, 0.5, 0.6]},
    ],
    ids=["empty", "one epoch", "no validation", "diverged", "never validated", "not in every phase"],
)
def test_history_may_be_short_or_incomplete(tmp_path, history, recwarn):
    plots.plot_history(history, [("head", 1, 1)], tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes().startswith(PNG)
    assert not recwarn.list


def test_accuracy_is_drawn_without_validation_and_the_learning_rate_never(tmp_path, drawn):
    plots.plot_history({"accuracy": [0.5], "loss": [1.0], "learning_rate": [0.1]}, [], tmp_path / "history.png")
    assert [axes.get_title(loc="left") for axes in drawn[0].axes] == ["Loss", "Accuracy"]


def test_many_metrics_take_more_than_one_row(tmp_path, drawn):
    names = ["loss", *(f"{part}_loss" for part in "abcd")]
    history = {name: [1.0] for name in names} | {f"val_{name}": [1.0] for name in names}
    plots.plot_history(history, [], tmp_path / "history.png")
    places = [axes.get_subplotspec() for axes in drawn[0].axes]
    rows_and_columns = [(place.rowspan.start, place.colspan.start) for place in places]
    assert rows_and_columns == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]


def test_crowded_phase_names_are_rotated(tmp_path, drawn):
    for number in (2, 12):
        spans = [(f"block{index}", index + 1, index + 1) for index in range(number)]
        plots.plot_history({"loss": [1.0] * number}, spans, tmp_path / "history.png")
    few, many = ({t.get_rotation() for t in figure.findobj(Text) if t.get_text() == "block1"} for figure in drawn)
    assert (few, many) == ({0}, {90})


def test_images_follow_each_other_in_rows(tmp_path):
    images = [np.full((8, 8, 3), shade, "uint8") for shade in (0, 255)]
    plots.plot_contact_sheet(images, [("a.png", "cat"), ("b.png", "")], tmp_path / "sheet.png")
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    half = pixels.shape[1] // 2
    assert pixels[90, half // 2] < 10 and pixels[90, half + half // 2] > 245
