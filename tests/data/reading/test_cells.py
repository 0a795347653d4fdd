import numpy as np
import pytest

from tl_keras.data.reading.cells import BadCell, clean_cell, encoded_image


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" a ", "a"),
        (None, ""),
        (float("nan"), ""),
        (np.float64(3), "3"),
        (0.5, "0.5"),
        (b" b ", "b"),
        (("a", 2.0), ["a", "2"]),
        (np.array(["a", "b"]), ["a", "b"]),
    ],
)
def test_cells_become_texts(cell, text):
    assert clean_cell(cell) == text


@pytest.mark.parametrize(
    ("cell", "problem"),
    [({"x": 1}, "an object in a cell"), ([["a"]], "a list inside of a list"), ([b"\xff"], "bytes that are not UTF-8")],
)
def test_other_cells_are_named(cell, problem):
    with pytest.raises(BadCell, match=problem) as caught:
        clean_cell(cell)
    assert caught.value.advice.startswith("write")


def test_images_stand_in_cells_as_bytes_or_as_a_path_in_their_place():
    assert encoded_image({"bytes": b"\x89\0", "path": "a.png"}) == encoded_image(b"\x89\0") == b"\x89\0"
    assert encoded_image({"bytes": None, "path": "a.png"}) == "a.png"
    assert encoded_image("a.png") is encoded_image({"other": 1}) is None
