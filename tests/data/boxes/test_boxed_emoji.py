import itertools

import numpy as np
import pytest
from PIL import Image

from tl_keras.data.boxes import boxed_emoji
from tl_keras.data.boxes.boxed_emoji import KINDS, write_boxed_emoji
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.decoding import read_upright

COUNTS = {"train": 12, "validation": 3, "test": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emoji") / "boxed"
    write_boxed_emoji(folder, counts=COUNTS, image_size=128)
    return folder


def test_counts_classes_and_boxes(folder):
    records = find_boxes(folder)
    assert {split: len(records.rows(split)) for split in COUNTS} == COUNTS
    assert set(records.class_names) <= set(KINDS) and len(records.class_names) >= 4
    assert records.sizes.tolist() == [[128, 128]] * len(records)
    sides = np.concatenate(records.boxes)
    sides = sides[:, 2:] - sides[:, :2]
    assert sides.min() >= 8 and sides.max() <= 110
    for boxes in records.boxes:
        for one, other in itertools.combinations(boxes, 2):
            width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
            smaller = min(np.prod(box[2:] - box[:2]) for box in (one, other))
            assert max(width, 0) * max(height, 0) <= 0.05 * smaller
    # All boxes are inside of their images.
    assert not any("Clipped" in note for note in records.notes)


def test_the_images_depend_on_the_seed(folder, tmp_path):
    for seed in (0, 1):
        write_boxed_emoji(tmp_path / str(seed), counts=COUNTS, image_size=128, seed=seed)
    same, other = (read_upright(tmp_path / seed / "train" / "00003.jpg") for seed in "01")
    np.testing.assert_array_equal(read_upright(folder / "train" / "00003.jpg"), same)
    assert not np.array_equal(same, other)


def test_boxes_enclose_the_pasted_emoji():
    image = Image.new("RGB", (200, 200))
    generator = np.random.default_rng(3)
    emoji = {kind: sorted(boxed_emoji.example_path("emoji").glob(f"{kind}/*.png")) for kind in KINDS}
    boxes, labels = [], []
    while len(boxes) < 2:
        image = Image.new("RGB", (200, 200))
        boxes, labels = boxed_emoji._paste_emoji(generator, image, emoji)
    assert len(boxes) == len(labels)
    pixels = np.asarray(image).max(axis=-1)
    outside = pixels.copy()
    for left, top, right, bottom in boxes:
        inside = pixels[top:bottom, left:right]
        # The emoji touches every edge of its box and does not leave it.
        assert all(edge.max() > 0 for edge in (inside[:2], inside[-2:], inside[:, :2], inside[:, -2:]))
        outside[top:bottom, left:right] = 0
    assert outside.max() == 0


def test_splits_share_no_emoji():
    parts = [set(boxed_emoji._part(list(range(39)), share)) for share in boxed_emoji._SHARES.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 39 and all(parts)
