import hashlib

import numpy as np
import pytest

from tl_keras.data.images.duplicates import Fingerprints, find_duplicates, note_duplicates
from tl_keras.data.records import Records


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (18, 18, 3), np.uint8)


def fingerprints_of(*images):
    fingerprints = Fingerprints(len(images))
    for row, image in enumerate(images):
        fingerprints.add(row, image, hashlib.md5(image).digest())
    return fingerprints


def records_of(splits, labels):
    names = [f"{row}.png" for row in range(len(splits))]
    return Records(names, names, np.array(labels), list(splits), ("a", "b"))


def test_different_images_are_no_duplicates():
    records, fingerprints = records_of(["train", "test"], [0, 1]), fingerprints_of(noise(0), noise(1))
    assert find_duplicates(records, fingerprints) == ({}, 0)
    assert note_duplicates(records, fingerprints, 0) == ()


@pytest.mark.parametrize(
    ("splits", "bad"),
    [
        (["train", "test", "train"], [0, 2]),
        (["train", "validation", "test"], [0, 1]),
        (["validation", "train", "train"], [1, 2]),
    ],
)
def test_duplicates_stay_in_the_test_split_only(splits, bad):
    reasons, num_harmless = find_duplicates(records_of(splits, [0, 0, 0]), fingerprints_of(*[noise(0)] * 3))
    assert sorted(reasons) == bad and num_harmless == 0
    stays = next(row for row in range(3) if row not in bad)
    assert set(reasons.values()) == {f"the same image as {stays}.png in the {splits[stays]} split"}


@pytest.mark.parametrize("labels", [[0, 1, 0], [[1, 0], [1, 1], [1, 0]]])
def test_duplicates_with_different_labels_are_all_refused(labels):
    reasons, num_harmless = find_duplicates(
        records_of(["train", "train", "test"], labels), fingerprints_of(*[noise(0)] * 3)
    )
    assert reasons == {
        0: "the same image as 1.png, which has another label",
        1: "the same image as 0.png, which has another label",
        2: "the same image as 1.png, which has another label",
    }
    assert num_harmless == 0


def test_duplicates_in_one_split_are_harmless():
    records, fingerprints = records_of(["train"] * 4, [1] * 4), fingerprints_of(*[noise(0)] * 3, noise(1))
    assert find_duplicates(records, fingerprints) == ({}, 2)
    assert note_duplicates(records, fingerprints, 2) == ("2 of 4 images duplicate others in their split.",)


def test_images_of_a_single_colour_and_unread_images_are_no_duplicates():
    fingerprints = Fingerprints(4)
    for row in range(2):
        fingerprints.add(row, np.full((18, 18, 3), 7, np.uint8), bytes(16))
    records = records_of(["train", "test", "train", "test"], [0, 1, 0, 1])
    assert find_duplicates(records, fingerprints) == ({}, 0) and note_duplicates(records, fingerprints, 0) == ()


def test_near_duplicates_are_found_among_many():
    images = [noise(seed) for seed in range(60)]
    near, far = np.clip(images[7].astype(int) + 1, 0, 255).astype(np.uint8), images[8] // 2
    records, fingerprints = (
        records_of(["train"] * 60 + ["test", "validation"], [0] * 62),
        fingerprints_of(*images, near, far),
    )
    assert note_duplicates(records, fingerprints, 0) == (
        "1 validation or test image nearly the same as a training image, look at: 7.png and 60.png.",
    )
    assert note_duplicates(records.take([0, 60]), fingerprints.take([0, 60]), 0) == ()
