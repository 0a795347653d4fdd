from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import RETINA, overlap, rectangles, tiny_backbone
from tl_keras.errors import InputError
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.detection.targets.box_coding import encode_boxes
from tl_keras.transfer.activations.cuts import find_cuts
from tl_keras.transfer.freezing import block_names

IMAGES, TARGETS = rectangles(4)


def build():
    keras.utils.set_random_seed(0)
    return build_retina_net(tiny_backbone(), 2, RETINA)


@pytest.fixture(scope="module")
def model():
    return build()


def losses(model, targets, images=IMAGES):
    outputs = model(images.astype("float32"))
    values = model.image_losses(targets["boxes"], targets["labels"], outputs, training=False)
    return {name: np.asarray(value) for name, value in values.items()}


def test_its_blocks_and_shapes(model):
    assert block_names(model) == ["block1", "block2", "block3", "block4", "block5", "neck", "head"]
    anchors = 9 * (64 + 16 + 4 + 1 + 1)
    assert {name: tensor.shape for name, tensor in model.output.items()} == {
        "class_logits": (None, anchors, 2),
        "box_deltas": (None, anchors, 4),
    }
    assert len(model.decoder.anchors.all()) == anchors


def test_a_fresh_head_expects_background(model):
    probability = 1 / (1 + np.exp(-np.asarray(model(IMAGES.astype("float32"))["class_logits"])))
    np.testing.assert_allclose(probability, 0.01, rtol=0.2)


def test_losses_are_those_of_the_paper(model):
    outputs = {name: np.asarray(part) for name, part in model(IMAGES.astype("float32")).items()}
    found, anchors = losses(model, TARGETS), model.decoder.anchors.all()
    for image in range(4):
        real = TARGETS["labels"][image] >= 0
        boxes, labels = TARGETS["boxes"][image][real], TARGETS["labels"][image][real]
        overlaps = np.array([[overlap(anchor, box) for box in boxes] for anchor in anchors])
        best, matches = overlaps.max(1), overlaps.argmax(1)
        is_object = (best >= 0.5) | ((overlaps == overlaps.max(0)) & (overlaps > 0)).any(1)
        truth = np.eye(3)[np.where(is_object, labels[matches], 2)][:, :2]
        probability = 1 / (1 + np.exp(-outputs["class_logits"][image].astype("float64")))
        right = np.where(truth == 1, probability, 1 - probability)
        focal = -np.where(truth == 1, 0.25, 0.75) * (1 - right) ** 2 * np.log(right)
        counted = focal[is_object | (best < 0.4)].sum()
        np.testing.assert_allclose(found["class_loss"][image], counted / is_object.sum(), rtol=1e-3)
        targets = np.asarray(encode_boxes(boxes[matches], anchors))
        distance = np.abs(outputs["box_deltas"][image] - targets).sum(1)[is_object].mean()
        np.testing.assert_allclose(found["box_loss"][image], distance, rtol=1e-3)


def test_images_without_boxes_teach_the_background(model):
    found = losses(model, {"boxes": TARGETS["boxes"], "labels": np.full_like(TARGETS["labels"], -1)})
    assert (found["class_loss"] > 0).all() and not found["box_loss"].any()


def test_it_trains_with_a_plain_fit():
    model = build()
    model.compile(keras.optimizers.Adam(5e-3), run_eagerly=True)
    history = model.fit(IMAGES, TARGETS, batch_size=4, epochs=10, verbose=0).history
    assert np.isfinite(history["loss"]).all() and history["loss"][-1] < 0.8 * history["loss"][0]


def test_the_detector_behind_a_cut_has_the_same_losses(model):
    cut = next(tensor for _, tensor in find_cuts(model) if tensor._keras_history.operation.name == "block3.relu")
    features = np.asarray(keras.Model(model.input, cut)(IMAGES.astype("float32")))
    first, second = losses(model, TARGETS), losses(model.behind(cut), TARGETS, features)
    for name in ("class_loss", "box_loss"):
        np.testing.assert_allclose(first[name], second[name], rtol=1e-4)


def test_five_anchor_sizes_are_needed():
    with pytest.raises(InputError, match="1 anchor sizes for 5 levels"):
        build_retina_net(tiny_backbone(), 2, replace(RETINA, anchor_sizes=(8.0,)))
