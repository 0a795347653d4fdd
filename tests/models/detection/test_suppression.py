import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.detection.tiny_detectors import greedy, random_boxes
from tl_keras.models.detection.suppression import non_max_suppression

BOXES = random_boxes((2, 60), 3, size=40.0)
IS_CANDIDATE = np.random.default_rng(0).uniform(size=(2, 60)) < 0.9
LABELS = np.random.default_rng(1).integers(0, 3, (2, 60))


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.7])
@pytest.mark.parametrize("labels", [None, LABELS])
def test_it_equals_greedy_suppression(threshold, labels):
    is_kept = np.asarray(non_max_suppression(BOXES, IS_CANDIDATE, threshold, labels))
    for image in (0, 1):
        own = None if labels is None else labels[image]
        np.testing.assert_array_equal(is_kept[image], greedy(BOXES[image], IS_CANDIDATE[image], threshold, own))


def test_a_chain_of_boxes_keeps_every_second_box():
    left = np.arange(30, dtype="float32") * 3
    chain = np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1)[None]
    is_kept = np.asarray(non_max_suppression(chain, np.ones((1, 30), bool), 0.5))
    np.testing.assert_array_equal(is_kept[0], np.arange(30) % 2 == 0)


def test_it_compiles_under_xla():
    compiled = tf.function(lambda boxes: non_max_suppression(boxes, IS_CANDIDATE, 0.3), jit_compile=True)
    np.testing.assert_array_equal(
        compiled(keras.ops.convert_to_tensor(BOXES)), non_max_suppression(BOXES, IS_CANDIDATE, 0.3)
    )
