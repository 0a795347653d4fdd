import io
import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from tl_keras.evaluation import draw_objects, fonts, plot_boxes, plot_confusion_matrix, plot_mistakes

# Letters that no font has: the private use area.
STRANGE = "\ue123\ue124"
NAMES = ["cat", STRANGE, "žluť"]


def test_names_without_a_font_become_numbers_with_a_legend():
    assert fonts.drawable_names(NAMES) == ["cat", "#2", "žluť"]
    assert fonts.number_legend(NAMES) == f"#2 {STRANGE}" and fonts.number_legend(["cat"]) == ""
    assert fonts.add_legend("Confusion matrix", NAMES) == f"Confusion matrix (#2 {STRANGE})"
    assert fonts.add_legend("Confusion matrix", ["cat"]) == "Confusion matrix"
    assert fonts.drawable_text(f"{STRANGE}.png\n") == "??.png\n"


def test_names_from_right_to_left_keep_the_order_of_a_caption():
    hebrew, arabic = "\u05d0\u05d1\u05d2", "\u0633\u064a"
    assert fonts.drawable_names([hebrew, "cat", arabic]) == [f"\u200e{hebrew}\u200e", "cat", f"\u200e{arabic}\u200e"]
    assert fonts.number_legend([hebrew, arabic]) == ""


def test_names_become_numbers_where_letters_from_right_to_left_would_be_reversed(monkeypatch):
    names = ["\u05d0\u05d1", "cat"]
    for module, attribute, value in (
        (fonts.features, "check", lambda _: False),
        (fonts.matplotlib, "__version_info__", (3, 10, 9)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, attribute, value)
            assert fonts.drawable_names(names) == ["#1", "cat"] and fonts.number_legend(names) == "#1 \u05d0\u05d1"


def test_the_first_of_two_names_from_right_to_left_is_drawn_left():
    def ink(text):
        """Returns which columns of a drawn text have dots."""
        figure = Figure(figsize=(4, 1), dpi=100)
        FigureCanvasAgg(figure)
        figure.text(0.05, 0.5, text, fontsize=20)
        figure.canvas.draw()
        return (np.asarray(figure.canvas.buffer_rgba())[..., :3] < 128).any(axis=(0, 2))

    wide, narrow = (fonts.in_order(letter * 4) for letter in ("\u05e9", "\u05d5"))
    drawn, mirrored, first = ink(f"{wide} 1 {narrow}"), ink(f"{narrow} 1 {wide}"), ink(wide)
    end = np.flatnonzero(first)[-1] + 1
    assert (drawn[:end] == first[:end]).all() and not (mirrored[:end] == first[:end]).all()


def test_a_font_with_all_letters_is_taken(monkeypatch):
    letters = {"first": frozenset(map(ord, "abc")), "second": frozenset(map(ord, "苹果0123456789%"))}
    monkeypatch.setattr(fonts, "installed_fonts", lambda: {name.title(): name for name in letters})
    monkeypatch.setattr(fonts, "_letters", letters.__getitem__)
    assert (fonts.font_file("a b"), fonts.font_file("苹果"), fonts.font_file("a苹")) == ("first", "second", None)
    # The score beside a name needs digits.
    assert fonts.drawable_names(["苹果", "abc"]) == ["苹果", "#2"]


@pytest.mark.parametrize("draw", ["boxes", "confusion", "mistakes", "objects"])
def test_no_plot_warns_of_missing_letters(draw, tmp_path):
    images, path = np.zeros((2, 20, 20, 3), np.uint8), tmp_path / "x.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if draw == "boxes":
            plot_boxes(images, np.ones((2, 1, 4)), np.ones((2, 1), int), [STRANGE] * 2, NAMES, path)
        elif draw == "confusion":
            plot_confusion_matrix(np.eye(3, dtype=int), NAMES, path)
        elif draw == "mistakes":
            plot_mistakes(images, [0, 1], np.array([[0, 1, 0], [0, 0, 1]]), [STRANGE] * 2, NAMES, path)
        else:
            drawn = draw_objects(images[0], [(STRANGE, 0.5, (1, 1, 9, 9))], NAMES)
            Image.fromarray(drawn).save(io.BytesIO(), "png")
