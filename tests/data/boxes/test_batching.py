import itertools

import numpy as np
import pytest

from tl_keras.data.boxes.batching import make_box_dataset, max_boxes_per_image
from tl_keras.data.boxes.box_sets import BoxSet
from tl_keras.errors import InputError


def make_set(count=10, size=16):
    """Makes images whose first pixel is their row, with row % 3 boxes of class row % 2."""
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    boxes = [np.tile(np.array([[1, 2, 9, 12]], np.float32), (row % 3, 1)) for row in range(count)]
    labels = [np.full(row % 3, row % 2, np.int32) for row in range(count)]
    sizes = np.full((count, 2), size, np.int32)
    return BoxSet(images, labels, [str(row) for row in range(count)], ("a", "b"), boxes=boxes, sizes=sizes)


def batches(dataset, count=None):
    return [
        (images.numpy(), targets["boxes"].numpy(), targets["labels"].numpy())
        for images, targets in itertools.islice(dataset, count)
    ]


def test_one_ordered_pass():
    box_set = make_set()
    parts = batches(make_box_dataset(box_set, 4, max_boxes=3))
    assert [len(images) for images, _, _ in parts] == [4, 4, 2]
    images, boxes, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    np.testing.assert_array_equal(images, box_set.images)
    assert images.dtype == np.uint8 and boxes.dtype == np.float32 and labels.dtype == np.int32
    assert labels.tolist() == [[row % 2] * (row % 3) + [-1] * (3 - row % 3) for row in range(10)]
    assert (boxes[labels < 0] == 0).all() and (boxes[labels >= 0] == [1, 2, 9, 12]).all()


@pytest.mark.parametrize(("augmentation", "dtype"), [("none", "uint8"), ("light", "float32")])
def test_shapes_are_static(augmentation, dtype):
    dataset = make_box_dataset(make_set(), 4, max_boxes=3, shuffle_seed=0, augmentation=augmentation)
    images, targets = dataset.element_spec
    assert images.shape.as_list() == [None, 16, 16, 3] and images.dtype == dtype
    assert targets["boxes"].shape.as_list() == [None, 3, 4] and targets["boxes"].dtype == "float32"
    assert targets["labels"].shape.as_list() == [None, 3] and targets["labels"].dtype == "int32"


def test_each_shuffled_epoch_has_every_image_once_in_another_order():
    parts = batches(make_box_dataset(make_set(), 4, max_boxes=2, shuffle_seed=7), 6)
    rows = [images[:, 0, 0, 0].tolist() for images, _, _ in parts]
    epochs = [sum(rows[:3], []), sum(rows[3:], [])]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs) and epochs[0] != epochs[1]
    for images, _, labels in parts:
        np.testing.assert_array_equal((labels >= 0).sum(axis=1), images[:, 0, 0, 0] % 3)


@pytest.mark.parametrize("augmentation", ["none", "mosaic"])
def test_a_later_first_epoch_gives_the_same_batches(augmentation):
    options = {"max_boxes": 8, "shuffle_seed": 5, "augmentation": augmentation}
    whole = batches(make_box_dataset(make_set(), 4, **options), 9)
    resumed = batches(make_box_dataset(make_set(), 4, **options, first_epoch=2), 3)
    for expected, actual in zip(whole[6:], resumed, strict=True):
        for one, other in zip(expected, actual, strict=True):
            np.testing.assert_array_equal(one, other)


def test_max_boxes_per_image():
    assert max_boxes_per_image(make_set(), make_set(1)) == 2 and max_boxes_per_image(make_set(1)) == 1
    assert max_boxes_per_image(make_set(), augmentation="mosaic") == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_boxes": 1}, "max_boxes is 1, but the image 2 has 2 boxes: expected 2"),
        ({"batch_size": 0}, "data.batch_size is 0"),
        ({"box_set": make_set(0)}, "empty set"),
        ({"augmentation": "mosaik", "shuffle_seed": 0}, "data.augmentation 'mosaik'.*'mosaic'"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(InputError, match=message):
        make_box_dataset(**{"box_set": make_set(), "batch_size": 4, "max_boxes": 3} | options)


def test_augmentation_needs_a_seed():
    with pytest.raises(ValueError, match="shuffle_seed"):
        make_box_dataset(make_set(), 4, max_boxes=3, augmentation="light")
