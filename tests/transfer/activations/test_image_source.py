import numpy as np
import pytest

from tl_keras.data import ImageSet, make_dataset
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


def test_views_are_the_first_epochs_of_a_training_without_a_cache(image_set):
    source = ImageSource(image_set, 2, views=3, augmentation="light", seed=1)
    batches = list(source.batches())
    assert (source.num_examples, source.target_shape, len(batches)) == (15, (2,), 9)
    training = make_dataset(image_set, 2, shuffle_seed=1, augmentation="light").take(9)
    for (images, targets, _), (expected_images, expected_targets) in zip(batches, training, strict=True):
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(targets, expected_targets)
    order = source.order.reshape(3, 5)
    np.testing.assert_array_equal(np.sort(order), np.tile(np.arange(5), (3, 1)))
    assert len(np.unique(order, axis=0)) > 1
    labels = np.concatenate([targets for _, targets, _ in batches]).argmax(axis=1)
    np.testing.assert_array_equal(labels, image_set.labels[source.order])


@pytest.mark.parametrize("augmentation", ["mixup", "cutmix"])
def test_images_of_a_set_sorted_by_class_are_mixed_across_classes(augmentation):
    labels = np.repeat(np.arange(4, dtype="int32"), 16)
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3)).astype("uint8")
    image_set = ImageSet(images, labels, list(map(str, range(64))), ("a", "b", "c", "d"))
    source = ImageSource(image_set, 16, views=2, augmentation=augmentation)
    targets = np.concatenate([targets for _, targets, _ in source.batches()])
    assert ((targets > 0).sum(axis=1) > 1).mean() > 0.4


def test_cached_activations_keep_labels_and_names(image_set):
    source, values = ImageSource(image_set, 2, views=2, augmentation="light", seed=1), np.zeros((10, 7))
    wrapped = source.wrap(values, np.eye(2)[[0] * 10], False)
    assert wrapped.images is values
    assert wrapped.names == [image_set.names[row] for row in source.order] != list("abcde") * 2
    np.testing.assert_array_equal(wrapped.labels, np.eye(2)[[0] * 10])
    np.testing.assert_array_equal(ImageSource(image_set, 2).wrap(values[:5], None, False).labels, image_set.labels)


def test_the_sample_is_at_most_the_whole_set(image_set):
    assert ImageSource(image_set, 2).sample(4).shape == (4, 8, 8, 3)
    assert ImageSource(image_set, 2).sample(9).shape == (5, 8, 8, 3)


def test_the_order_is_a_key_part_only_with_augmentation(image_set):
    assert "order" not in ImageSource(image_set, 2).key_parts()
    assert ImageSource(image_set, 2, augmentation="light").key_parts()["order"] == "shuffled"


def test_the_seed_is_a_key_part_only_with_augmentation(image_set):
    assert ImageSource(image_set, 2, seed=1).key_parts()["seed"] is None
    assert ImageSource(image_set, 2, augmentation="light", seed=1).key_parts()["seed"] == 1
