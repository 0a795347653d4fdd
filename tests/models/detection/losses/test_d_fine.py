import importlib

import numpy as np
import pytest
from keras import ops
from scipy import optimize
from scipy.special import expit, log_softmax, softmax

from tests.models.detection.tiny_detectors import numpy_iou
from tl_keras.models.detection.losses.d_fine import (
    GroundTruth,
    Union,
    bin_distances,
    box_losses,
    class_losses,
    corners,
    edge_losses,
    match_queries,
)

BATCH, LAYERS, QUERIES, CLASSES, MAX_BOXES = 3, 4, 6, 2, 4
GENERATOR = np.random.default_rng(0)
LOGITS = GENERATOR.normal(0, 1, (BATCH, LAYERS, QUERIES, CLASSES)).astype("float32")
BOXES = GENERATOR.uniform(0.2, 0.6, (BATCH, LAYERS, QUERIES, 4)).astype("float32")
DISTRIBUTIONS = GENERATOR.normal(0, 1, (BATCH, LAYERS - 2, QUERIES, 4 * 33)).astype("float32")
STARTS = GENERATOR.uniform(0.2, 0.6, (BATCH, QUERIES, 4)).astype("float32")
TRUE_BOXES = GENERATOR.uniform(0.2, 0.6, (BATCH, MAX_BOXES, 4)).astype("float32")
LABELS = np.array([[0, 1, 1, -1], [1, -1, 0, -1], [-1, -1, -1, -1]])
SCALE, BOUND = 4.0, 0.5


@pytest.fixture(scope="module")
def ground_truth():
    return GroundTruth(
        ops.convert_to_tensor(TRUE_BOXES), ops.one_hot(LABELS, CLASSES), ops.convert_to_tensor(LABELS >= 0)
    )


@pytest.fixture(scope="module")
def matches(ground_truth):
    return match_queries(LOGITS, BOXES, ground_truth)


@pytest.fixture(scope="module")
def union(matches, ground_truth):
    return Union.of(matches, ground_truth)


def iou(box, other):
    return numpy_iou(np.asarray(corners(box)), np.asarray(corners(other)))


def generalized(box, other):
    first, second = np.asarray(corners(box)), np.asarray(corners(other))
    hull = np.prod(np.maximum(first, second)[2:] - np.minimum(first, second)[:2])
    areas = np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2])
    union = areas / (1 + iou(box, other))
    return iou(box, other) - (hull - union) / hull


def cost(logits, box, true_box, label):
    p = expit(logits[label].astype("float64"))
    focal = -0.25 * (1 - p) ** 2 * np.log(p) + 0.75 * p**2 * np.log(1 - p)
    return 2 * focal + 5 * np.abs(box - true_box).sum() - 2 * generalized(box, true_box)


def test_boxes_are_matched_at_minimum_cost(matches):
    for image in range(BATCH):
        real = np.flatnonzero(LABELS[image] >= 0)
        for layer in range(LAYERS):
            costs = [
                [
                    cost(LOGITS[image, layer, query], BOXES[image, layer, query], TRUE_BOXES[image, box], label)
                    for query in range(QUERIES)
                ]
                for box, label in zip(real, LABELS[image, real], strict=True)
            ]
            rows, columns = optimize.linear_sum_assignment(np.reshape(costs, (len(real), QUERIES)))
            expected = np.zeros((MAX_BOXES, QUERIES))
            expected[real[rows], columns] = 1
            np.testing.assert_array_equal(matches[image, layer], expected)


def test_class_targets_are_the_ious_of_the_boxes(matches, ground_truth):
    total = 0.0
    for image, layer, query in np.ndindex(BATCH, LAYERS, QUERIES):
        p = expit(LOGITS[image, layer, query].astype("float64"))
        target, weight = np.zeros(CLASSES), 0.75 * p**2
        for box in np.flatnonzero(np.asarray(matches)[image, layer, :, query]):
            label = LABELS[image, box]
            target[label] = weight[label] = iou(BOXES[image, layer, query], TRUE_BOXES[image, box])
        total -= (weight * (target * np.log(p) + (1 - target) * np.log(1 - p))).sum()
    losses = np.asarray(class_losses(LOGITS, BOXES, matches, ground_truth))
    np.testing.assert_allclose(losses.mean(), total / 5, rtol=1e-4)


def pairs(matches):
    """Returns {(image, query): box}, the box that a query has in the majority of layers."""
    votes = np.asarray(matches).sum(axis=1)
    return {(image, query): votes[image, :, query].argmax() for image, _, query in zip(*votes.nonzero(), strict=True)}


def test_all_layers_learn_the_union_of_the_matches(matches, union):
    expected = pairs(matches)
    assert float(union.count) == len(expected) >= 5
    weights = np.asarray(union.weights)
    for image, query in np.ndindex(BATCH, QUERIES):
        assert weights[image, query] == ((image, query) in expected)
        if (image, query) in expected:
            box = expected[image, query]
            np.testing.assert_allclose(union.boxes[image, query], TRUE_BOXES[image, box])


def test_box_losses_are_l1_and_generalized_iou(matches, union):
    total = sum(
        5 * np.abs(BOXES[image, layer, query] - TRUE_BOXES[image, box]).sum()
        + 2 * (1 - generalized(BOXES[image, layer, query], TRUE_BOXES[image, box]))
        for (image, query), box in pairs(matches).items()
        for layer in range(LAYERS)
    )
    losses = np.asarray(box_losses(BOXES, union))
    np.testing.assert_allclose(losses.mean(), total / len(pairs(matches)), rtol=1e-4)


def test_bins_equal_kerashub():
    utils = importlib.import_module("keras_hub.src.models.d_fine.d_fine_utils")
    expected = utils.weighting_function(32, ops.full((1,), BOUND), ops.full((1,), SCALE))
    np.testing.assert_allclose(bin_distances(33, SCALE, BOUND), expected, atol=1e-5)


def edge_targets(start, true_box, values):
    """Returns for each of four edges the two bins next to its distance, and the share of the second one."""
    left, top, right, bottom = np.asarray(corners(true_box))
    x, y, width, height = start
    distances = np.array([(x - left) / width, (y - top) / height, (right - x) / width, (bottom - y) / height])
    for distance in SCALE * distances - SCALE / 2:
        low = int(np.clip(np.searchsorted(values, distance, side="right") - 1, 0, 31))
        yield low, np.clip((distance - values[low]) / (values[low + 1] - values[low]), 0, 1)


def test_edge_losses_are_localization_and_distillation(matches, union):
    values = np.asarray(bin_distances(33, SCALE, BOUND))
    split = DISTRIBUTIONS.reshape(BATCH, LAYERS - 2, QUERIES, 4, 33).astype("float64")
    located, expected = 0.0, pairs(matches)
    for (image, query), box in expected.items():
        for layer in range(LAYERS - 2):
            weight = iou(BOXES[image, layer + 2, query], TRUE_BOXES[image, box])
            for edge, (low, share) in enumerate(edge_targets(STARTS[image, query], TRUE_BOXES[image, box], values)):
                logs = log_softmax(split[image, layer, query, edge])
                located -= weight * ((1 - share) * logs[low] + share * logs[low + 1])
    distilled = teaching(split, expected)
    losses = np.asarray(
        edge_losses(DISTRIBUTIONS, STARTS, LOGITS[:, -1], BOXES[:, 2:], union, ops.convert_to_tensor(values), SCALE)
    )
    np.testing.assert_allclose(losses.mean(), 0.15 * located / len(expected) + 1.5 * distilled, rtol=1e-4)


def teaching(split, pairs):
    """Computes the authors' decoupled distillation focal loss for the single layer before the last."""
    parts = {True: [], False: []}
    for image, query in np.ndindex(BATCH, QUERIES):
        has_box = (image, query) in pairs
        sureness = expit(LOGITS[image, -1, query]).max()
        if has_box:
            sureness = iou(BOXES[image, 2, query], TRUE_BOXES[image, pairs[image, query]])
        for edge in range(4):
            student, teacher = split[image, :, query, edge] / 5
            divergence = (softmax(teacher) * (log_softmax(teacher) - log_softmax(student))).sum()
            parts[has_box].append(25 * sureness * divergence)
    roots = {has_box: np.sqrt(len(part)) for has_box, part in parts.items()}
    return sum(roots[has_box] * np.mean(part) for has_box, part in parts.items()) / sum(roots.values())
