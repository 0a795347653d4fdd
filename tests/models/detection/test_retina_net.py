from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.models.detection.detector_harness import losses, shared
from tests.models.detection.tiny_detectors import RETINA, build_tiny, numpy_iou, rectangles, tiny_backbone
from tl_keras.errors import InputError
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.detection.targets.box_coding import encode_boxes

IMAGES, TARGETS = rectangles(4)


@pytest.fixture
def model():
    return shared("retinanet")


def test_outputs_cover_all_anchors(model):
    anchors = 9 * (64 + 16 + 4 + 1 + 1)
    assert {name: tensor.shape for name, tensor in model.output.items()} == {
        "class_logits": (None, anchors, 2),
        "box_deltas": (None, anchors, 4),
    }
    assert len(model.decoder.anchors.all()) == anchors


def test_initial_probabilities_are_the_prior(model):
    probability = 1 / (1 + np.exp(-np.asarray(model(IMAGES.astype("float32"))["class_logits"])))
    np.testing.assert_allclose(probability, 0.01, rtol=0.2)


def test_losses_equal_the_equations_of_the_paper(model):
    outputs = {name: np.asarray(part) for name, part in model(IMAGES.astype("float32")).items()}
    values, anchors = losses(model, TARGETS, IMAGES), model.decoder.anchors.all()
    for image in range(4):
        real = TARGETS["labels"][image] >= 0
        boxes, labels = TARGETS["boxes"][image][real], TARGETS["labels"][image][real]
        ious = np.array([[numpy_iou(anchor, box) for box in boxes] for anchor in anchors])
        best, matches = ious.max(1), ious.argmax(1)
        is_object = (best >= 0.5) | ((ious == ious.max(0)) & (ious > 0)).any(1)
        one_hot = np.eye(3)[np.where(is_object, labels[matches], 2)][:, :2]
        probability = 1 / (1 + np.exp(-outputs["class_logits"][image].astype("float64")))
        p_true = np.where(one_hot == 1, probability, 1 - probability)
        focal = -np.where(one_hot == 1, 0.25, 0.75) * (1 - p_true) ** 2 * np.log(p_true)
        counted = focal[is_object | (best < 0.4)].sum()
        np.testing.assert_allclose(values["class_loss"][image], counted / is_object.sum(), rtol=1e-3)
        targets = np.asarray(encode_boxes(boxes[matches], anchors))
        distance = np.abs(outputs["box_deltas"][image] - targets).sum(1)[is_object].mean()
        np.testing.assert_allclose(values["box_loss"][image], distance, rtol=1e-3)


def test_losses_decrease_in_a_plain_fit():
    keras.utils.set_random_seed(0)
    model = build_tiny("retinanet")
    model.compile(keras.optimizers.Adam(5e-3), run_eagerly=True)
    history = model.fit(IMAGES, TARGETS, batch_size=4, epochs=10, verbose=0).history
    assert np.isfinite(history["loss"]).all() and history["loss"][-1] < 0.8 * history["loss"][0]


def test_another_number_of_anchor_sizes_is_refused():
    with pytest.raises(InputError, match="1 anchor sizes for 5 levels"):
        build_retina_net(tiny_backbone(), 2, replace(RETINA, anchor_sizes=(8.0,)))
