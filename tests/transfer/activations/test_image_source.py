import numpy as np
import pytest

from tl_keras.data import ImageSet
from tl_keras.transfer import ImageSource


@pytest.fixture
def image_set():
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype("uint8")
    return ImageSet(images, np.array([0, 1, 0, 1, 0], "int32"), list("abcde"), ("x", "y"))


def test_images_without_augmentation_come_once_in_order(image_set):
    source = ImageSource(image_set, 2)
    images = np.concatenate([batch for batch, _, _ in source.batches()])
    np.testing.assert_array_equal(images, image_set.images)
    assert (source.num_examples, source.num_rows(False), source.target_shape) == (5, 5, None)


def test_views_come_in_order(image_set):
    source = ImageSource(image_set, 2, views=3, augmentation="light", seed=1)
    targets = np.concatenate([targets for _, targets, _ in source.batches()])
    assert (source.num_examples, source.target_shape) == (15, (2,))
    np.testing.assert_array_equal(targets.argmax(axis=1), np.tile(image_set.labels, 3))


def test_cached_activations_keep_labels_and_names(image_set):
    source, values = ImageSource(image_set, 2, views=2, augmentation="light"), np.zeros((10, 7))
    wrapped = source.wrap(values, np.eye(2)[[0] * 10], False)
    assert wrapped.images is values
    assert wrapped.names == list("abcdeabcde")
    np.testing.assert_array_equal(wrapped.labels, np.eye(2)[[0] * 10])
    np.testing.assert_array_equal(ImageSource(image_set, 2).wrap(values[:5], None, False).labels, image_set.labels)


def test_the_sample_is_at_most_the_whole_set(image_set):
    assert ImageSource(image_set, 2).sample(4).shape == (4, 8, 8, 3)
    assert ImageSource(image_set, 2).sample(9).shape == (5, 8, 8, 3)


def test_the_seed_is_a_key_part_only_with_augmentation(image_set):
    assert ImageSource(image_set, 2, seed=1).key_parts()["seed"] is None
    assert ImageSource(image_set, 2, augmentation="light", seed=1).key_parts()["seed"] == 1
