import keras
import numpy as np

from tests.models.detection.tiny_detectors import random_boxes
from tl_keras.models.detection.box_head import BoxHead
from tl_keras.models.detection.settings import FasterRCNNSettings

FEATURES = np.random.default_rng(0).normal(size=(2, 8, 8, 5)).astype("float32")
BOXES = random_boxes((2, 6))


def head():
    return BoxHead(3, [8], FasterRCNNSettings(head_units=(7, 4), pool_size=2, sampling_ratio=1))


def test_head_classifies_and_refines_each_box():
    own = head()
    logits, deltas = own([FEATURES], BOXES)
    assert logits.shape == (2, 6, 4) and deltas.shape == (2, 6, 4, 3)
    hidden = np.asarray(own.align([FEATURES], BOXES)).reshape(2, 6, -1)
    for layer in own.hidden:
        hidden = np.maximum(hidden @ np.asarray(layer.kernel) + np.asarray(layer.bias), 0)
    np.testing.assert_allclose(logits[..., :3], hidden @ np.asarray(own.logits.kernel), atol=1e-5)
    np.testing.assert_allclose(logits[..., 3:], hidden @ np.asarray(own.background.kernel), atol=1e-5)
    # Offset k of class c is column 3 k + c: the class is the fastest-varying part of the last axis.
    kernel = np.asarray(own.boxes.kernel).reshape(4, 4, 3)
    np.testing.assert_allclose(deltas, np.einsum("bnf,fkc->bnkc", hidden, kernel), atol=1e-6)


def test_head_is_called_on_other_boxes_with_the_same_weights():
    own = head()
    inputs, boxes = keras.Input((8, 8, 5)), keras.Input((6, 4))
    model = keras.Model([inputs, boxes], own([inputs], boxes))
    assert len(model.trainable_variables) == 10
    np.testing.assert_allclose(model([FEATURES, BOXES])[0][:, :2], own([FEATURES], BOXES[:, :2])[0], atol=1e-5)
