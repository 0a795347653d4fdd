from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import PYRAMID, SINGLE, overlap, rectangles, tiny_backbone
from tl_keras.errors import InputError
from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.targets.box_coding import encode_boxes
from tl_keras.phases import Phase
from tl_keras.transfer.activations.cuts import find_cuts
from tl_keras.transfer.freezing import block_names, freeze_to
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

IMAGES, TARGETS = rectangles(4)
LOSSES = {"objectness_loss", "anchor_box_loss", "class_loss", "box_loss"}


def build(settings=SINGLE, **changes):
    keras.utils.set_random_seed(0)
    return build_faster_rcnn(tiny_backbone(), 2, replace(settings, **changes))


@pytest.fixture(scope="module")
def single():
    return build()


def losses(model, targets, images=IMAGES):
    outputs = model(images.astype("float32"))
    values = model.image_losses(targets["boxes"], targets["labels"], outputs, training=False)
    return {name: np.asarray(value) for name, value in values.items()}


def test_the_blocks_are_those_of_the_backbone_then_proposals_and_head(single):
    assert block_names(single) == ["block1", "block2", "block3", "block4", "proposals", "head"]
    blocks = ["block1", "block2", "block3", "block4", "block5", "neck", "proposals", "head"]
    assert block_names(build(PYRAMID)) == blocks


def test_a_pyramid_has_an_anchor_size_for_each_level():
    grid = build(PYRAMID).anchors
    assert grid.strides == (4, 8, 16, 32, 64) and grid.sizes[2] == (24.0,)
    with pytest.raises(InputError, match="2 anchor sizes for 5 levels"):
        build(PYRAMID, anchor_sizes=(8.0, 16.0))


def test_only_one_block_freezes_when_asked(single):
    assert freeze_to(single, "proposals") == ["proposals", "head"]
    owners = {variable.path.split(".")[0] for variable in single.trainable_variables}
    freeze_to(single, "all", batch_norm="train")
    assert owners == {"proposals", "head"}


def test_the_head_samples_each_bin_as_it_is_told(single):
    assert single.box_head.align.sampling_ratio == 1
    assert build(sampling_ratio=2).box_head.align.sampling_ratio == 2


def cross_entropy(logits, label):
    return np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[label]


def test_losses_are_those_of_the_papers():
    """With samples as large as there are candidates nothing is left to chance."""
    model = build(anchor_samples=1000, head_samples=1000)
    outputs = model(IMAGES.astype("float32"))
    found = losses(model, TARGETS)
    anchors = model.anchors.all()
    for image in range(4):
        real = TARGETS["labels"][image] >= 0
        boxes, labels = TARGETS["boxes"][image][real], TARGETS["labels"][image][real]
        overlaps = np.array([[overlap(anchor, box) for box in boxes] for anchor in anchors])
        is_object = overlaps.max(1) >= 0.7
        is_object[(overlaps == overlaps.max(0)).any(1) & (overlaps.max(1) > 0)] = True
        drawn = is_object | (overlaps.max(1) < 0.3)
        score = np.asarray(outputs["objectness"][image])
        entropy = np.log1p(np.exp(np.where(is_object, -score, score)))
        np.testing.assert_allclose(found["objectness_loss"][image], entropy[drawn].mean(), rtol=1e-4)
        targets = np.asarray(encode_boxes(boxes[overlaps.argmax(1)], anchors))
        distance = np.abs(np.asarray(outputs["deltas"][image]) - targets).sum(1)
        np.testing.assert_allclose(found["anchor_box_loss"][image], distance[is_object].sum() / drawn.sum(), rtol=1e-4)
        _check_head(model, outputs, found, image, boxes, labels)


def _check_head(model, outputs, found, image, boxes, labels):
    proposals = np.asarray(outputs["proposals"][image])
    proposals = np.concatenate([proposals[proposals[:, 2] > proposals[:, 0]], boxes])
    overlaps = np.array([[overlap(proposal, box) for box in boxes] for proposal in proposals])
    is_object = overlaps.max(1) >= 0.5
    features = [feature[image : image + 1] for feature in outputs["features"]]
    logits, deltas = (np.asarray(part)[0] for part in model.box_head(features, proposals[None]))
    matches = overlaps.argmax(1)
    classes = np.where(is_object, labels[matches], 2)
    entropy = [cross_entropy(row, label) for row, label in zip(logits, classes, strict=True)]
    np.testing.assert_allclose(found["class_loss"][image], np.mean(entropy), rtol=1e-4)
    targets = np.asarray(encode_boxes(boxes[matches], proposals, (10.0, 10.0, 5.0, 5.0)))
    distance = [np.abs(deltas[i, :, classes[i]] - targets[i]).sum() for i in np.flatnonzero(is_object)]
    np.testing.assert_allclose(found["box_loss"][image], np.sum(distance) / len(proposals), rtol=1e-4)


def test_images_without_boxes_teach_the_background(single):
    none = {"boxes": TARGETS["boxes"], "labels": np.full_like(TARGETS["labels"], -1)}
    found = losses(single, none)
    assert (found["objectness_loss"] > 0).all() and (found["class_loss"] > 0).all()
    assert not found["anchor_box_loss"].any() and not found["box_loss"].any()


def test_padding_does_not_change_the_losses(single):
    padded = {"boxes": np.pad(TARGETS["boxes"], ((0, 0), (0, 4), (0, 0)), constant_values=7.0)}
    padded["labels"] = np.pad(TARGETS["labels"], ((0, 0), (0, 4)), constant_values=-1)
    wide = build(anchor_samples=1000, head_samples=1000)
    first, second = losses(wide, TARGETS), losses(wide, padded)
    for name in LOSSES:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-5)


def test_it_trains_with_a_plain_fit():
    model = build()
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    history = model.fit(IMAGES, TARGETS, batch_size=4, epochs=12, verbose=0).history
    assert set(history) == {"loss", *LOSSES}
    assert np.isfinite(history["loss"]).all() and np.mean(history["loss"][-3:]) < 0.8 * history["loss"][0]


def test_a_pyramid_learns_in_all_its_blocks():
    model = build(PYRAMID)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    model.fit(IMAGES, TARGETS, batch_size=4, epochs=1, verbose=0)
    still = [
        variable.path
        for variable, old in zip(model.trainable_variables, before, strict=True)
        if np.array_equal(variable, old)
    ]
    assert not still


def test_the_detector_behind_a_cut_has_the_same_losses(single):
    cut = next(tensor for _, tensor in find_cuts(single) if tensor._keras_history.operation.name == "block3.relu")
    behind = single.behind(cut)
    features = np.asarray(keras.Model(single.input, cut)(IMAGES.astype("float32")))
    first, second = losses(single, TARGETS), losses(behind, TARGETS, features)
    for name in LOSSES:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-4)
    assert block_names(behind) == ["block4", "proposals", "head"]
    shared = {id(variable) for variable in single.variables}
    assert {id(variable) for variable in behind.variables} < shared


def test_evaluation_draws_the_same_sample_each_time(single):
    first, second = losses(single, TARGETS), losses(single, TARGETS)
    for name in LOSSES:
        np.testing.assert_array_equal(first[name], second[name])


def test_it_trains_in_phases():
    model = build()
    model.compile(StagedAdamW(), run_eagerly=True)
    staging = ProgressiveUnfreezing([Phase("head", 1, 1e-3), Phase("block4", 1, 1e-3)])
    model.fit(IMAGES, TARGETS, batch_size=4, epochs=2, verbose=0, callbacks=[staging])
    assert [record["blocks"] for record in staging.plan] == [["head"], ["block4", "proposals", "head"]]


def test_half_precision_keeps_boxes_and_losses_in_full_precision(single):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build()
    finally:
        keras.config.set_dtype_policy("float32")
    model.set_weights(single.get_weights())
    outputs = model(IMAGES.astype("float32"))
    assert outputs["features"][0].dtype == "bfloat16"
    for name in ("objectness", "deltas", "proposals", "class_logits", "box_deltas"):
        assert outputs[name].dtype == "float32"
    found, expected = losses(model, TARGETS), losses(single, TARGETS)
    np.testing.assert_allclose(found["objectness_loss"], expected["objectness_loss"], rtol=0.02)
