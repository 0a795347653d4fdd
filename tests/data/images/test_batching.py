import itertools

import numpy as np
import pytest
from PIL import Image

from tl_keras.data.images.batching import make_dataset, steps_per_epoch
from tl_keras.data.images.image_sets import ImageFiles, ImageSet
from tl_keras.errors import InputError


def make_set(count=10, size=8):
    """Images whose first pixel is their row; the label is the row modulo 3."""
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    labels = (np.arange(count) % 3).astype(np.int32)
    return ImageSet(images, labels, [str(row) for row in range(count)], ("a", "b", "c"))


def batches(dataset, count):
    return [(images.numpy(), labels.numpy()) for images, labels in itertools.islice(dataset, count)]


def rows(dataset, count):
    return [images[:, 0, 0, 0].tolist() for images, _ in batches(dataset, count)]


@pytest.mark.parametrize(("batch_size", "steps"), [(1, 10), (3, 4), (5, 2), (10, 1), (64, 1)])
def test_steps_per_epoch(batch_size, steps):
    assert steps_per_epoch(make_set(), batch_size) == steps


def test_one_ordered_pass():
    image_set = make_set()
    parts = batches(make_dataset(image_set, 4), None)
    assert [len(images) for images, _ in parts] == [4, 4, 2]
    images = np.concatenate([images for images, _ in parts])
    np.testing.assert_array_equal(images, image_set.images)
    assert images.dtype == np.uint8
    labels = np.concatenate([labels for _, labels in parts])
    np.testing.assert_array_equal(labels, np.eye(3)[image_set.labels])
    assert labels.dtype == np.float32


def test_shapes_are_static():
    images, labels = make_dataset(make_set(), 4, shuffle_seed=0, augmentation="light").element_spec
    assert images.shape.as_list() == [None, 8, 8, 3] and images.dtype == "float32"
    assert labels.shape.as_list() == [None, 3] and labels.dtype == "float32"


def test_multi_label():
    labels = np.array([[1, 1], [0, 1], [0, 0]], np.uint8)
    image_set = ImageSet(make_set(3).images, labels, ["0", "1", "2"], ("a", "b"))
    ((_, batch_labels),) = batches(make_dataset(image_set, 4), None)
    np.testing.assert_array_equal(batch_labels, labels)
    assert batch_labels.dtype == np.float32


def test_each_shuffled_epoch_has_every_image_once_in_another_order():
    rows_of_steps = rows(make_dataset(make_set(), 4, shuffle_seed=7), 9)
    epochs = [sum(rows_of_steps[start : start + 3], []) for start in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, range(10)]}) == 4
    assert [len(batch) for batch in rows_of_steps] == [4, 4, 2] * 3


def test_the_order_depends_on_the_seed():
    first, again, other = (rows(make_dataset(make_set(), 4, shuffle_seed=seed), 3) for seed in (1, 1, 2))
    assert first == again != other


def test_labels_stay_with_their_images():
    for images, labels in batches(make_dataset(make_set(), 4, shuffle_seed=3), 6):
        np.testing.assert_array_equal(labels.argmax(axis=1), images[:, 0, 0, 0] % 3)


@pytest.mark.parametrize("augmentation", ["none", "strong", "randaugment", "cutmix"])
def test_a_later_first_epoch_gives_the_same_batches(augmentation):
    whole = batches(make_dataset(make_set(), 4, shuffle_seed=5, augmentation=augmentation), 12)
    resumed = batches(make_dataset(make_set(), 4, shuffle_seed=5, augmentation=augmentation, first_epoch=2), 6)
    for expected, actual in zip(whole[6:], resumed, strict=True):
        np.testing.assert_array_equal(actual[0], expected[0])
        np.testing.assert_array_equal(actual[1], expected[1])


def test_augmentation_differs_between_epochs():
    image_set = make_set(4)
    (first, _), (second, _) = batches(make_dataset(image_set, 4, shuffle_seed=0, augmentation="light"), 2)
    plain = rows(make_dataset(image_set, 4, shuffle_seed=0), 2)
    assert not np.allclose(first[np.argsort(plain[0])], second[np.argsort(plain[1])])


def test_files_and_arrays_give_the_same_batches(tmp_path):
    in_memory = make_set(7)
    paths = [str(tmp_path / f"{row}.png") for row in range(7)]
    for path, image in zip(paths, in_memory.images, strict=True):
        Image.fromarray(image).save(path)
    on_disk = ImageSet(ImageFiles(paths, 8), in_memory.labels, in_memory.names, in_memory.class_names)
    for seed in (None, 3):
        for expected, actual in zip(
            batches(make_dataset(in_memory, 3, shuffle_seed=seed), 3),
            batches(make_dataset(on_disk, 3, shuffle_seed=seed), 3),
            strict=True,
        ):
            np.testing.assert_array_equal(actual[0], expected[0])
            np.testing.assert_array_equal(actual[1], expected[1])


def test_batch_size_below_one():
    with pytest.raises(InputError, match="data.batch_size is 0"):
        make_dataset(make_set(), 0)


def test_empty_set():
    with pytest.raises(InputError, match="empty set"):
        make_dataset(make_set(0), 4)


def test_unknown_augmentation_names_the_nearest():
    with pytest.raises(InputError, match="data.augmentation 'mixupp'.*'mixup'"):
        make_dataset(make_set(), 4, shuffle_seed=0, augmentation="mixupp")


def test_augmentation_needs_a_seed():
    with pytest.raises(ValueError, match="shuffle_seed"):
        make_dataset(make_set(), 4, augmentation="light")
