import numpy as np
import pytest

from tl_keras.data.images.duplicates import Looks, find_copies, note_copies
from tl_keras.data.records import Records


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (18, 18, 3), np.uint8)


def looks_of(*pictures):
    looks = Looks(len(pictures))
    for row, image in enumerate(pictures):
        looks.note(row, image)
    return looks


def records_of(splits, labels):
    names = [f"{row}.png" for row in range(len(splits))]
    return Records(names, names, np.array(labels), list(splits), ("a", "b"))


def test_different_pictures_have_no_copies():
    records, looks = records_of(["train", "test"], [0, 1]), looks_of(picture(0), picture(1))
    assert find_copies(records, looks) == ({}, 0)
    assert note_copies(records, looks, 0) == ()


@pytest.mark.parametrize(
    ("splits", "bad"),
    [
        (["train", "test", "train"], [0, 2]),
        (["train", "validation", "test"], [0, 1]),
        (["validation", "train", "train"], [1, 2]),
    ],
)
def test_what_the_test_has_stays_there_alone(splits, bad):
    reasons, harmless = find_copies(records_of(splits, [0, 0, 0]), looks_of(*[picture(0)] * 3))
    assert sorted(reasons) == bad and harmless == 0
    stays = next(row for row in range(3) if row not in bad)
    assert set(reasons.values()) == {f"the same picture as {stays}.png in the {splits[stays]} split"}


@pytest.mark.parametrize("labels", [[0, 1, 0], [[1, 0], [1, 1], [1, 0]]])
def test_none_of_several_labels_is_trusted(labels):
    reasons, harmless = find_copies(records_of(["train", "train", "test"], labels), looks_of(*[picture(0)] * 3))
    assert reasons == {
        0: "the same picture as 1.png, which has another label",
        1: "the same picture as 0.png, which has another label",
        2: "the same picture as 1.png, which has another label",
    }
    assert harmless == 0


def test_copies_in_one_split_are_harmless():
    records, looks = records_of(["train"] * 4, [1] * 4), looks_of(*[picture(0)] * 3, picture(1))
    assert find_copies(records, looks) == ({}, 2)
    assert note_copies(records, looks, 2) == ("2 of 4 images are copies of others in their split.",)


def test_a_single_colour_and_what_could_not_be_read_are_like_nothing():
    looks = Looks(4)
    for row in range(2):
        looks.note(row, np.full((18, 18, 3), 7, np.uint8))
    records = records_of(["train", "test", "train", "test"], [0, 1, 0, 1])
    assert find_copies(records, looks) == ({}, 0) and note_copies(records, looks, 0) == ()


def test_near_copies_are_found_among_many():
    pictures = [picture(seed) for seed in range(60)]
    near, far = np.clip(pictures[7].astype(int) + 1, 0, 255).astype(np.uint8), pictures[8] // 2
    records, looks = records_of(["train"] * 60 + ["test", "validation"], [0] * 62), looks_of(*pictures, near, far)
    assert note_copies(records, looks, 0) == (
        "1 validation or test images nearly equal a training image, look at: 7.png and 60.png.",
    )
    assert note_copies(records.take([0, 60]), looks.take([0, 60]), 0) == ()
