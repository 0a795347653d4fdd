import keras
import numpy as np
import pytest

from tests.explanation.explanation_cases import share_inside
from tests.models.detection.detector_harness import IMAGES, shared
from tests.models.detection.tiny_detectors import DETECTORS, SIZE, build_tiny, rectangles
from tl_keras.evaluation.iou import pairwise_iou
from tl_keras.explanation.box_maps import box_maps, find_candidates
from tl_keras.models.detection.detect import detect
from tl_keras.models.detection.targets.box_coding import clip_boxes


def unfiltered(detector, rows):
    """Returns rows of the network's output for the first image as detections of class 1, whatever their score."""
    outputs = detector(IMAGES[:1].astype("float32"))
    boxes, scores = detector.decoder.boxes_and_scores(*(outputs[name] for name in detector.decoder_inputs))
    boxes, scores = np.asarray(clip_boxes(boxes, SIZE))[0, rows], np.asarray(scores)[0, rows, 1]
    return {"boxes": boxes[:, 1] if boxes.ndim == 3 else boxes, "scores": scores, "labels": [1] * len(rows)}


def test_the_map_matches_finite_differences_of_the_score():
    detector = shared("faster_rcnn")
    outputs = detector(IMAGES[:1].astype("float32"))
    proposals, (features,) = outputs["proposals"], map(np.asarray, outputs["features"])
    expected = np.zeros(features.shape[1:3])
    for at in np.ndindex(expected.shape):
        # The derivative by a factor of all channels of a position is the sum of gradient times activation.
        # The proposals stay, because no gradient flows through them.
        factor = np.ones((*features.shape[:3], 1), "float32")
        factor[(0, *at)] = 1.2
        heads = (detector.box_head([features * one], proposals) for one in (factor, 2 - factor))
        above, below = (detector.decoder.boxes_and_scores(proposals, *one)[1][0, 3, 1] for one in heads)
        expected[at] = max(float(above - below) / 0.4, 0)
    assert expected.any()
    (heat,) = box_maps(detector.inference_model(), IMAGES[0], unfiltered(detector, [3]))
    np.testing.assert_allclose(heat, expected, atol=0.03 * expected.max())


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_has_a_map_for_each_box(name):
    model = shared(name).inference_model()
    found = unfiltered(shared(name), [0, -1])
    first, last = box_maps(model, IMAGES[0], found)
    assert first.max() > 0 and last.max() > 0 and not np.allclose(first, last)


def test_rows_are_found_by_class_box_and_score_in_spite_of_rounding():
    found = {"boxes": np.array([[0, 0, 9, 9.001], [0, 0, 9, 9]]), "scores": np.array([0.4, 0.7]), "labels": [1, 0]}
    boxes = np.array([[0, 0, 9, 9], [5, 5, 60, 60], [0, 0, 9, 9]], "float32")
    scores = np.array([[0.7, 0.1], [0.4, 0.4], [0.1, 0.4001]])
    assert find_candidates(boxes, scores, found) == [2, 0]
    by_class = np.stack([boxes, boxes[[2, 0, 1]]], axis=1)
    assert find_candidates(by_class, scores[[0, 2, 1]], found) == [1, 0]


@pytest.mark.parametrize(
    ("name", "rate", "epochs"),
    [
        ("retinanet", 3e-3, 30),
        pytest.param("feature_pyramid", 3e-3, 30, marks=pytest.mark.slow),
        pytest.param("yolo_v8", 5e-3, 40, marks=pytest.mark.slow),
        pytest.param("d_fine", 2e-3, 60, marks=pytest.mark.slow),
    ],
)
def test_maps_of_a_detector_that_has_learned_lie_in_their_boxes(name, rate, epochs):
    keras.utils.set_random_seed(0)
    detector = build_tiny(name)
    detector.compile(keras.optimizers.Adam(rate))
    detector.fit(*rectangles(64), batch_size=16, epochs=epochs, verbose=0)
    model, own, other, areas = detector.inference_model(), [], [], []
    images, targets = rectangles(24, seed=5)
    for image, boxes in zip(images[1::2], targets["boxes"][1::2], strict=True):
        found = detect(model, image[None])[0]
        ious = pairwise_iou(boxes[:2], found["boxes"])
        if ious.max(axis=1, initial=0).min() < 0.4:
            continue
        found = {key: values[ious.argmax(axis=1)] for key, values in found.items()}
        heat, places = box_maps(model, image, found), found["boxes"]
        own += [share_inside(heat[one], places[one]) for one in (0, 1)]
        other += [share_inside(heat[one], places[1 - one]) for one in (0, 1)]
        areas += list(np.prod(places[:, 2:] - places[:, :2], axis=1) / SIZE**2)
    assert len(own) >= 8
    assert np.mean(own) > 2.5 * np.mean(areas)
    assert np.mean(other) < np.mean(own) / 2
