import gc
import time
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.data import (
    BoxSet,
    ImageSet,
    TokenSet,
    make_box_dataset,
    make_dataset,
    make_token_dataset,
    raise_input_errors,
)
from tl_keras.data.pipeline.pipeline_calls import call_python, hold_function
from tl_keras.errors import InputError

NAMES, CLASSES = [""] * 8, ("a", "b")


def is_gone(alive):
    """Waits a little, because a batch may still be prefetched."""
    for _ in range(1000):
        gc.collect()
        if alive() is None:
            return True
        time.sleep(0.05)
    return False


def images():
    return np.zeros((8, 4, 4, 3), np.uint8)


def image_batches(augmentation):
    image_set = ImageSet(images(), np.zeros(8, np.int32), NAMES, CLASSES)
    return image_set, make_dataset(image_set, 3, shuffle_seed=0, augmentation=augmentation)


def text_batches():
    offsets = np.arange(0, 17, 2)
    texts = TokenSet(np.ones(16, np.int32), offsets, None, np.zeros(8, np.int32), NAMES, NAMES, CLASSES, 0)
    return texts, make_token_dataset(texts, 3, shuffle_seed=0)


def box_batches():
    boxes, labels = [np.zeros((0, 4), np.float32)] * 8, [np.zeros(0, np.int32)] * 8
    box_set = BoxSet(images(), labels, NAMES, CLASSES, boxes=boxes, sizes=np.full((8, 2), 4, np.int32))
    return box_set, make_box_dataset(box_set, 3, max_boxes=1, shuffle_seed=0)


@pytest.mark.parametrize(
    "make",
    [lambda: image_batches("none"), lambda: image_batches("light"), text_batches, box_batches],
    ids=["images", "augmented images", "texts", "boxes"],
)
def test_data_are_released_with_the_last_dataset_over_them(make):
    examples, dataset = make()
    alive = weakref.ref(examples)
    derived = iter(dataset.map(lambda *batch: batch).take(5))
    del examples, dataset
    gc.collect()
    next(derived)
    assert alive() is not None
    del derived
    assert is_gone(alive)


def test_data_are_released_after_fit():
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    image_set, dataset = image_batches("none")
    model.fit(
        dataset,
        steps_per_epoch=3,
        epochs=2,
        validation_data=dataset.take(1),
        verbose=0,
        shuffle=False,
        class_weight={0: 1, 1: 2},
    )
    alive = weakref.ref(image_set)
    del image_set, dataset
    model.train_function = model.test_function = None
    assert is_gone(alive)


def test_an_input_error_is_raised_unchanged():
    def read(row):
        raise InputError("The file has changed.")

    dataset = hold_function(tf.data.Dataset.range(3).map(lambda row: call_python(read, [row], [tf.int64])[0]), read)
    with pytest.raises(InputError, match="^The file has changed.$"), raise_input_errors():
        list(dataset)
    with pytest.raises(tf.errors.OpError):
        list(dataset)


def test_other_errors_pass():
    with pytest.raises(tf.errors.NotFoundError), raise_input_errors():
        raise tf.errors.NotFoundError(None, None, "gone")
