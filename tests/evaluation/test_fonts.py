import io
import warnings

import numpy as np
import pytest
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
