import keras
import numpy as np
import pytest

from tests.models.detection.tiny_detectors import greedy, random_boxes
from tl_keras.errors import InputError
from tl_keras.models.detection.box_decoders import (
    HEAD_WEIGHTS,
    AnchorDecoder,
    ProposalDecoder,
    select_detections,
)
from tl_keras.models.detection.detect import split_detections
from tl_keras.models.detection.settings import DecodingSettings
from tl_keras.models.detection.targets.anchors import AnchorGrid
from tl_keras.models.detection.targets.box_coding import decode_boxes, encode_boxes

SETTINGS = DecodingSettings(score_threshold=0.3, overlap_threshold=0.2, max_detections=12, max_candidates=60)
GENERATOR = np.random.default_rng(0)
SCORES = GENERATOR.uniform(size=(2, 20, 3)).astype("float32")


@pytest.mark.parametrize("boxes", [random_boxes((2, 20)), random_boxes((2, 20, 3))], ids=["shared", "for each class"])
def test_detections_are_the_best_boxes_of_each_class_after_suppression(boxes):
    detections = {name: np.asarray(part) for name, part in select_detections(boxes, SCORES, SETTINGS).items()}
    for image in (0, 1):
        expected = []
        for label in range(3):
            own = boxes[image] if boxes.ndim == 3 else boxes[image, :, label]
            order = np.argsort(-SCORES[image, :, label])
            scores = SCORES[image, order, label]
            is_kept = greedy(own[order], scores >= 0.3, 0.2, None)
            expected += [(score, label, *box) for score, box in zip(scores[is_kept], own[order][is_kept], strict=True)]
        expected = np.array(sorted(expected, reverse=True))[:12]
        np.testing.assert_allclose(detections["scores"][image, : len(expected)], expected[:, 0], atol=1e-6)
        np.testing.assert_array_equal(detections["labels"][image, : len(expected)], expected[:, 1])
        np.testing.assert_allclose(detections["boxes"][image, : len(expected)], expected[:, 2:], atol=1e-4)
        for part in detections.values():
            assert (part[image, len(expected) :] == -1).all()


def test_detections_are_padded():
    detections = select_detections(random_boxes((1, 2)), SCORES[:1, :2, :1], DecodingSettings(max_detections=5))
    assert detections["boxes"].shape == (1, 5, 4) and detections["labels"].dtype == "int32"
    np.testing.assert_array_equal(detections["scores"][0, 2:], [-1, -1, -1])


def test_proposals_are_refined_and_padding_is_never_detected():
    boxes = random_boxes((1, 3), 1)
    boxes[0, :, 2:] += 8
    proposals = np.clip(boxes + 2, 0, 64)
    proposals[0, 2] = -1
    deltas = np.repeat(np.asarray(encode_boxes(boxes, proposals, HEAD_WEIGHTS))[..., None], 2, axis=-1)
    logits = np.array([[[6, 0, 0], [0, 7, 0], [9, 9, 0]]], "float32")
    settings = DecodingSettings(score_threshold=0.5, overlap_threshold=0.5)
    detections = ProposalDecoder(80, settings)(proposals, logits, deltas)
    np.testing.assert_array_equal(detections["labels"][0, :3], [1, 0, -1])
    np.testing.assert_allclose(detections["boxes"][0, :2], boxes[0, 1::-1], atol=1e-3)
    probability = np.exp(7) / (np.exp(7) + 2)
    np.testing.assert_allclose(detections["scores"][0, 0], probability, rtol=1e-5)


def test_anchors_are_decoded_and_boxes_are_clipped():
    grid = AnchorGrid(64, (32,), ((32.0,),), (1.0,))
    deltas = GENERATOR.normal(0, 0.3, (1, 4, 4)).astype("float32")
    logits = np.array([[[3], [2], [1], [0]]], "float32")
    detections = AnchorDecoder(grid, DecodingSettings(overlap_threshold=1.0))(logits, deltas)
    expected = np.clip(np.asarray(decode_boxes(deltas[0], grid.all())), 0, 64)
    np.testing.assert_allclose(detections["boxes"][0, :4], expected, atol=1e-4)
    np.testing.assert_allclose(detections["scores"][0, :4], 1 / (1 + np.exp(-logits[0, :, 0])), rtol=1e-5)


@pytest.mark.parametrize("name, expected", [("xywh", [8, 16, 16, 8]), ("rel_yxyx", [0.25, 0.125, 0.375, 0.375])])
def test_boxes_are_converted_to_the_format(name, expected):
    grid = AnchorGrid(64, (64,), ((64.0,),), (1.0,))
    deltas = encode_boxes(np.array([[[8, 16, 24, 24]]], "float32"), grid.all())
    detections = AnchorDecoder(grid, DecodingSettings(), name)(np.ones((1, 1, 1), "float32"), deltas)
    np.testing.assert_allclose(detections["boxes"][0, 0], expected, atol=1e-4)
    np.testing.assert_array_equal(detections["boxes"][0, 1], [-1] * 4)


def test_decoders_are_rebuilt_from_their_configurations():
    decoder = AnchorDecoder(AnchorGrid(64, (32,), ((32.0,),), (1.0,)), SETTINGS, "xywh")
    again = AnchorDecoder.from_config(decoder.get_config())
    assert (again.anchors, again.settings, again.bounding_box_format) == (decoder.anchors, SETTINGS, "xywh")
    assert ProposalDecoder.from_config(ProposalDecoder(64, SETTINGS).get_config()).image_size == 64


def test_decoders_compute_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        decoder = ProposalDecoder(64, SETTINGS)
    finally:
        keras.config.set_dtype_policy("float32")
    assert decoder.compute_dtype == "float32"


@pytest.mark.parametrize("broken", ["logits", "deltas"])
def test_an_image_with_nan_has_no_scores_instead_of_no_objects(broken):
    anchors = AnchorGrid(16, (8,), ((4.0,),), (1.0,))
    outputs = {"logits": np.zeros((2, 4, 2), "float32"), "deltas": np.zeros((2, 4, 4), "float32")}
    outputs[broken][1, 2, 1] = np.nan
    detections = AnchorDecoder(anchors, SETTINGS)(*outputs.values())
    is_nan = np.isnan(detections["scores"])
    assert is_nan[1].all() and not is_nan[0].any()
    with pytest.raises(InputError, match="scores or boxes with NaN: it is damaged, or its training diverged"):
        split_detections({name: np.asarray(part) for name, part in detections.items()})
