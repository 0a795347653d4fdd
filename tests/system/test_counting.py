import pytest

from tl_keras.system.counting import counted


@pytest.mark.parametrize(
    ("number", "nouns", "expected"),
    [
        (1, ["training image"], "1 training image"),
        (0, ["training image"], "0 training images"),
        (1208, ["box"], "1,208 boxes"),
        (2, ["class"], "2 classes"),
        (2, ["batch"], "2 batches"),
        (1, ["box is", "boxes are"], "1 box is"),
        (3, ["box is", "boxes are"], "3 boxes are"),
    ],
)
def test_a_noun_follows_its_number(number, nouns, expected):
    assert counted(number, *nouns) == expected
