import numpy as np
import pytest

from tl_keras.data.records import Records
from tl_keras.data.split_choice import choose_test_examples
from tl_keras.errors import InputError


def make(*splits):
    names = [str(row) for row in range(len(splits))]
    return Records(names, names, np.zeros(len(splits), np.int32), list(splits), ("a",))


SPLIT = make("train", "validation", "test", "train")


@pytest.mark.parametrize(
    ("records", "split", "expected"),
    [
        (SPLIT, None, ["2"]),
        (SPLIT, "train", ["0", "3"]),
        (SPLIT, "val", ["1"]),
        (SPLIT, "all", ["0", "1", "2", "3"]),
        (make("", ""), None, ["0", "1"]),
        (make("train", "validation"), None, ["0", "1"]),
    ],
)
def test_the_examples_of_a_split(records, split, expected):
    chosen = choose_test_examples(records, "data.yaml", split)
    assert chosen.names == expected and chosen.splits == ["test"] * len(expected)


def test_a_note_says_what_is_left_out_unless_it_was_asked_for():
    note = "Tests the test split, 1 of 4 examples; --split all takes them all."
    assert choose_test_examples(SPLIT, "x").notes == (note,)
    assert choose_test_examples(SPLIT, "x", "train").notes == ()


@pytest.mark.parametrize(
    ("records", "split", "message"),
    [
        (make("train", "validation"), "test", "--split test: 'x' has the splits train, validation; give one of them"),
        (make("", ""), "test", "--split test: 'x' has no splits; give one of them, or --split all"),
        (SPLIT, "tets", "--split tets: 'x' has the splits train, validation, test"),
    ],
)
def test_a_split_that_the_data_lack_is_refused(records, split, message):
    with pytest.raises(InputError, match=message):
        choose_test_examples(records, "x", split)
