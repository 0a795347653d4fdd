import subprocess
import sys

import pytest
from PIL import Image

from tl_keras.evaluation.figures import PIXELS_PER_INCH, saved_figure, shorten


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("short", 5, "short"),
        ("abcdefghij", 5, "ab…ij"),
        ("abcdefghij", 6, "abc…ij"),
        ("abcdefghij", 3, "a…j"),
        ("two\nlines  here", 20, "two lines here"),
    ],
)
def test_shorten(text, length, expected):
    assert shorten(text, length) == expected


def test_a_figure_has_its_size_and_is_reproducible_to_the_byte(tmp_path):
    for name in ("new/one.png", "two.png"):
        with saved_figure(tmp_path / name, 2, 1) as figure:
            figure.text(0.5, 0.5, "costs $5 or $6")
    with Image.open(tmp_path / "two.png") as image:
        assert image.size == (2 * PIXELS_PER_INCH, PIXELS_PER_INCH)
    assert (tmp_path / "new/one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_failed_drawing_writes_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), saved_figure(tmp_path / "half.png", 2, 1):
        1 / 0  # noqa: B018
    assert not (tmp_path / "half.png").exists()


def test_evaluation_imports_neither_pyplot_nor_keras():
    code = (
        "import sys, tl_keras.evaluation.plots, tl_keras.evaluation.report, tl_keras.evaluation.cards.model_card;"
        "print(sorted({'matplotlib.pyplot', 'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
