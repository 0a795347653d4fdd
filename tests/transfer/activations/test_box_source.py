import numpy as np
import pytest

from tl_keras.data import BoxSet, make_box_dataset
from tl_keras.transfer import BoxSource


@pytest.fixture
def box_set():
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("uint8")
    boxes = [np.array([[2, 2, 12, 12], [4, 6, 14, 15]], "float32"), np.zeros((0, 4), "float32")]
    boxes.append(np.array([[1, 3, 15, 14]], "float32"))
    labels = [np.array([0, 1], "int32"), np.zeros(0, "int32"), np.array([1], "int32")]
    return BoxSet(images, labels, list("abc"), ("x", "y"), boxes=boxes, sizes=np.full((3, 2), 16, "int32"))


def test_images_without_augmentation_come_once_in_order_with_their_boxes(box_set):
    source = BoxSource(box_set, 2, 2)
    images = np.concatenate([batch for batch, _, _ in source.batches()])
    np.testing.assert_array_equal(images, box_set.images)
    assert (source.num_examples, source.num_rows(False), source.target_shape) == (3, 3, None)
    wrapped = source.wrap(np.zeros((3, 5)), None, False)
    assert [boxes.tolist() for boxes in wrapped.boxes] == [boxes.tolist() for boxes in box_set.boxes]


def test_views_are_augmented_together_with_their_boxes(box_set):
    source = BoxSource(box_set, 2, 2, views=2, augmentation="light", seed=1)
    batches = list(source.batches())
    targets = np.concatenate([targets for _, targets, _ in batches])
    assert (source.num_examples, targets.shape) == (6, (6, *source.target_shape))
    wrapped = source.wrap(np.zeros((6, 5)), targets, False)
    assert wrapped.names == [box_set.names[row] for row in source.order] and wrapped.sizes.shape == (6, 2)
    training = make_box_dataset(box_set, 2, max_boxes=2, shuffle_seed=1, augmentation="light").take(4)
    for row, batch, (images, expected) in zip((0, 2, 3, 5), batches, training, strict=True):
        np.testing.assert_array_equal(batch[0], images)
        used = expected["labels"][0].numpy() >= 0
        np.testing.assert_array_equal(wrapped.boxes[row], expected["boxes"][0].numpy()[used])
        assert wrapped.labels[row].tolist() == expected["labels"][0].numpy()[used].tolist()
        assert wrapped.labels[row].dtype == np.int32


def test_boxes_are_key_parts_only_with_augmentation(box_set):
    assert BoxSource(box_set, 2, 2).key_parts()["boxes"] is None
    assert len(BoxSource(box_set, 2, 2, augmentation="light").key_parts()["boxes"]) == 3


def test_the_sample_is_at_most_the_whole_set(box_set):
    assert BoxSource(box_set, 2, 2).sample(9).shape == (3, 16, 16, 3)
