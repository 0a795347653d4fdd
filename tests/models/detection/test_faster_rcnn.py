from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.models.detection.detector_harness import losses, shared
from tests.models.detection.tiny_detectors import PYRAMID, SINGLE, numpy_iou, rectangles, tiny_backbone
from tl_keras.errors import InputError
from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.targets.box_coding import encode_boxes
from tl_keras.phases import Phase
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

IMAGES, TARGETS = rectangles(4)
LOSSES = {"objectness_loss", "anchor_box_loss", "class_loss", "box_loss"}


def build(settings=SINGLE, **changes):
    keras.utils.set_random_seed(0)
    return build_faster_rcnn(tiny_backbone(), 2, replace(settings, **changes))


def test_a_pyramid_has_one_anchor_size_per_level():
    grid = build(PYRAMID).anchors
    assert grid.strides == (4, 8, 16, 32, 64) and grid.sizes[2] == (24.0,)
    with pytest.raises(InputError, match="2 anchor sizes for 5 levels"):
        build(PYRAMID, anchor_sizes=(8.0, 16.0))


def test_sampling_ratio_reaches_the_head():
    assert shared("faster_rcnn").box_head.align.sampling_ratio == 1
    assert build(sampling_ratio=2).box_head.align.sampling_ratio == 2


def cross_entropy(logits, label):
    return np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[label]


def test_losses_equal_the_equations_of_the_papers():
    """Samples all candidates, so that nothing is random."""
    model = build(anchor_samples=1000, head_samples=1000)
    outputs = model(IMAGES.astype("float32"))
    values = losses(model, TARGETS, IMAGES)
    anchors = model.anchors.all()
    for image in range(4):
        real = TARGETS["labels"][image] >= 0
        boxes, labels = TARGETS["boxes"][image][real], TARGETS["labels"][image][real]
        ious = np.array([[numpy_iou(anchor, box) for box in boxes] for anchor in anchors])
        is_object = ious.max(1) >= 0.7
        is_object[(ious == ious.max(0)).any(1) & (ious.max(1) > 0)] = True
        drawn = is_object | (ious.max(1) < 0.3)
        score = np.asarray(outputs["objectness"][image])
        entropy = np.log1p(np.exp(np.where(is_object, -score, score)))
        np.testing.assert_allclose(values["objectness_loss"][image], entropy[drawn].mean(), rtol=1e-4)
        targets = np.asarray(encode_boxes(boxes[ious.argmax(1)], anchors))
        distance = np.abs(np.asarray(outputs["deltas"][image]) - targets).sum(1)
        np.testing.assert_allclose(values["anchor_box_loss"][image], distance[is_object].sum() / drawn.sum(), rtol=1e-4)
        _check_head(model, outputs, values, image, boxes, labels)


def _check_head(model, outputs, values, image, boxes, labels):
    proposals = np.asarray(outputs["proposals"][image])
    proposals = np.concatenate([proposals[proposals[:, 2] > proposals[:, 0]], boxes])
    ious = np.array([[numpy_iou(proposal, box) for box in boxes] for proposal in proposals])
    is_object = ious.max(1) >= 0.5
    features = [feature[image : image + 1] for feature in outputs["features"]]
    logits, deltas = (np.asarray(part)[0] for part in model.box_head(features, proposals[None]))
    matches = ious.argmax(1)
    classes = np.where(is_object, labels[matches], 2)
    entropy = [cross_entropy(row, label) for row, label in zip(logits, classes, strict=True)]
    np.testing.assert_allclose(values["class_loss"][image], np.mean(entropy), rtol=1e-4)
    targets = np.asarray(encode_boxes(boxes[matches], proposals, (10.0, 10.0, 5.0, 5.0)))
    distance = [np.abs(deltas[i, :, classes[i]] - targets[i]).sum() for i in np.flatnonzero(is_object)]
    np.testing.assert_allclose(values["box_loss"][image], np.sum(distance) / len(proposals), rtol=1e-4)


def test_losses_decrease_in_a_plain_fit():
    model = build()
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    history = model.fit(IMAGES, TARGETS, batch_size=4, epochs=12, verbose=0).history
    assert set(history) == {"loss", *LOSSES}
    assert np.isfinite(history["loss"]).all() and np.mean(history["loss"][-3:]) < 0.8 * history["loss"][0]


def test_a_step_changes_all_weights_of_a_pyramid():
    model = build(PYRAMID)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    model.fit(IMAGES, TARGETS, batch_size=4, epochs=1, verbose=0)
    unchanged = [
        variable.path
        for variable, old in zip(model.trainable_variables, before, strict=True)
        if np.array_equal(variable, old)
    ]
    assert not unchanged


def test_it_trains_in_phases():
    model = build()
    model.compile(StagedAdamW(), run_eagerly=True)
    staging = ProgressiveUnfreezing([Phase("head", 1, 1e-3), Phase("block4", 1, 1e-3)])
    model.fit(IMAGES, TARGETS, batch_size=4, epochs=2, verbose=0, callbacks=[staging])
    assert [record["blocks"] for record in staging.plan] == [["head"], ["block4", "proposals", "head"]]


def test_boxes_and_losses_stay_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build()
    finally:
        keras.config.set_dtype_policy("float32")
    single = shared("faster_rcnn")
    model.set_weights(single.get_weights())
    outputs = model(IMAGES.astype("float32"))
    assert outputs["features"][0].dtype == "bfloat16"
    for name in ("objectness", "deltas", "proposals", "class_logits", "box_deltas"):
        assert outputs[name].dtype == "float32"
    values, expected = losses(model, TARGETS, IMAGES), losses(single, TARGETS, IMAGES)
    np.testing.assert_allclose(values["objectness_loss"], expected["objectness_loss"], rtol=0.02)
