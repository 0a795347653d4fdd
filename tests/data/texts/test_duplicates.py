import numpy as np
import pytest

from tl_keras.data.records import Records
from tl_keras.data.texts.duplicates import remove_duplicates, text_key
from tl_keras.errors import InputError

SPLITS = ["train", "train", "validation", "test"]


def records(texts, labels=(0, 1, 0, 0), splits=SPLITS):
    names = [f"line {row}" for row in range(2, len(texts) + 2)]
    return Records(list(texts), names, np.array(labels, np.int32), list(splits), ("a", "b"))


def test_different_texts_stay_without_a_note():
    kept = remove_duplicates(records(["one", "two", "three", "four"]))
    assert len(kept) == 4 and kept.notes == () and kept.skipped == ()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["same", "x", "y", "same"], r"1 of 4 texts .*: line 2 \(the same text as line 5 in the test split\); remove"),
        ([" so\u00a0 good", "x", "so good\u200b", "y"], "line 2 .*line 4 in the validation split"),
        ([("a", "b"), ("a", "c"), ("x", "y"), ("a", "b")], "line 2 .*line 5"),
        (["same", "same", "x", "y"], "2 of 4 .* line 2 .*line 3, which has another label.*; line 3 .*on_bad_file skip"),
    ],
)
def test_equal_texts_across_splits_or_labels_are_refused(texts, message):
    with pytest.raises(InputError, match=message):
        remove_duplicates(records(texts))


def test_equal_texts_can_be_left_out_up_to_a_limit():
    found = records(["same", "x", "y", "same"])
    kept = remove_duplicates(found, on_bad_file="skip", max_bad_files=0.3)
    assert kept.names == ["line 3", "line 4", "line 5"] and kept.labels.tolist() == [1, 0, 0]
    assert kept.skipped == (("line 2", "the same text as line 5 in the test split"),)
    many = records(["same"] * 100 + ["x"], [0] * 100 + [1], ["train", "test"] * 50 + ["train"])
    with pytest.raises(InputError, match="50 of 101 texts cannot be used"):
        remove_duplicates(many, on_bad_file="skip")


def test_harmless_and_near_duplicates_are_counted():
    found = records(["Same!", "Same!", "same", "other"], labels=[0, 0, 0, 1])
    assert remove_duplicates(found).notes == (
        "1 of 4 texts duplicates others in their split.",
        "1 validation or test text equals a training text but for case and punctuation, look at: line 2 and line 4.",
    )
    assert remove_duplicates(records([":-)", ":-(", "!!", "?"])).notes == ()


def test_the_parts_of_a_pair_do_not_flow_together():
    assert text_key(("a b", "c")) != text_key(("a", "b c")) and text_key("a\nb") == "a b"
