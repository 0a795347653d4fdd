import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.data.images import augmentation
from tl_keras.data.images.augmentation import AUGMENTATIONS, augment
from tl_keras.data.pipeline.stateless_random import StatelessSeeds
from tl_keras.errors import InputError

BATCH = 8
IMAGES = np.random.default_rng(0).integers(0, 256, (BATCH, 4, 4, 3), np.uint8).repeat(5, axis=1).repeat(5, axis=2)
LABELS = np.eye(BATCH, dtype=np.float32)

CHANGING = [name for name in AUGMENTATIONS if name != "none"]


def run(preset, seed=(1, 2), images=IMAGES):
    augmented = augment(tf.constant(images), tf.constant(LABELS), preset, tf.constant(seed, tf.int64))
    return [tensor.numpy() for tensor in augmented]


@pytest.mark.parametrize("preset", AUGMENTATIONS)
def test_shape_dtype_and_range(preset):
    images, labels = run(preset)
    assert images.shape == IMAGES.shape and images.dtype == np.float32
    assert labels.shape == LABELS.shape and labels.dtype == np.float32
    assert np.isfinite(images).all() and images.min() >= 0 and images.max() <= 255
    # Not scaled to 0 to 1, and not erased.
    assert images.max() > 100 and images.std() > 20


def test_none_changes_nothing():
    images, labels = run("none")
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("preset", CHANGING)
def test_the_result_depends_on_the_seed_only(preset):
    first, other_step, other_seed, again = (run(preset, seed) for seed in ((1, 2), (1, 3), (2, 2), (1, 2)))
    np.testing.assert_array_equal(again[0], first[0])
    np.testing.assert_array_equal(again[1], first[1])
    for other in (other_step, other_seed):
        assert np.abs(other[0] - first[0]).mean() > 1


@pytest.mark.parametrize("preset", CHANGING)
def test_eager_and_graph_agree(preset):
    graph = tf.function(lambda seed: augment(tf.constant(IMAGES), tf.constant(LABELS), preset, seed))
    for seed in ((1, 2), (3, 4)):
        for actual, expected in zip(graph(tf.constant(seed, tf.int64)), run(preset, seed), strict=True):
            np.testing.assert_allclose(actual, expected, atol=1e-3)


@pytest.mark.parametrize("preset", ["light", "strong", "randaugment"])
def test_each_image_of_a_batch_changes_differently_and_keeps_its_label(preset):
    images, labels = run(preset, images=np.repeat(IMAGES[:1], BATCH, axis=0))
    assert len({image.tobytes() for image in images}) >= BATCH - 1
    np.testing.assert_array_equal(labels, LABELS)


# The steps before the mixing equal those of "light" and draw the same numbers, so its result is what gets mixed.


def test_mixup_mixes_labels_like_images():
    images, labels = run("mixup")
    light, _ = run("light")
    assert (np.count_nonzero(labels, axis=1) == 2).any()
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(images, np.einsum("ij,jhwc->ihwc", labels, light), atol=0.01)


def test_cutmix_mixes_labels_by_area():
    images, labels = run("cutmix", seed=(1, 5))
    light, _ = run("light", seed=(1, 5))
    area = np.stack([(images == other).all(axis=-1).mean(axis=(1, 2)) for other in light], axis=1)
    assert ((labels > 0.1) & (labels < 0.9)).any()
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-5)
    # The edge of the box lies between pixels: up to one row and one column of 20.
    np.testing.assert_allclose(area, labels, atol=0.11)


@pytest.mark.parametrize("name_and_arguments", AUGMENTATIONS["randaugment"].choices, ids=lambda choice: choice[0])
def test_every_choice_of_randaugment_changes_one_image_within_range(name_and_arguments):
    name, arguments = name_and_arguments
    layer = getattr(keras.layers, name)(**arguments)
    image = tf.constant(IMAGES[:1] * 0.5 + 40, tf.float32)
    changed = []
    for number in range(8):
        seeds = StatelessSeeds(tf.constant([number, 0]))
        result = layer.transform_images(image, layer.get_random_transformation(image, seed=seeds)).numpy()
        assert result.shape == image.shape and result.min() > -1e-3 and result.max() < 255.01
        changed.append(np.abs(result - image).mean())
    assert max(changed) > 1


def test_the_precision_policy_does_not_affect_the_pixels():
    augmentation._layers.cache_clear()
    expected, _ = run("light")
    augmentation._layers.cache_clear()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        images, _ = run("light")
    finally:
        keras.mixed_precision.set_global_policy("float32")
        augmentation._layers.cache_clear()
    np.testing.assert_array_equal(images, expected)


def test_unknown_preset_names_the_nearest():
    with pytest.raises(InputError, match="data.augmentation 'ligth'.*'light'"):
        run("ligth")
