from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from tests.models.detection.tiny_detectors import PYRAMID, greedy
from tl_keras.models.detection.proposals import ProposalSelection, RegionProposals
from tl_keras.models.detection.targets.anchors import AnchorGrid
from tl_keras.models.detection.targets.box_coding import decode_boxes

GRID = AnchorGrid(64, (16, 32), ((16.0,), (32.0,)), (0.5, 1.0, 2.0))
SIZES = [48, 12]
GENERATOR = np.random.default_rng(0)
OBJECTNESS = GENERATOR.normal(size=(2, 60)).astype("float32")
DELTAS = GENERATOR.normal(0, 0.5, size=(2, 60, 4)).astype("float32")


def select(**changes):
    options = {"candidates_per_level": 20, "num_proposals": 15, "overlap_threshold": 0.3}
    return ProposalSelection(GRID, **{**options, **changes})


def expected_proposals(image):
    candidates, start = [], 0
    for anchors in GRID.levels():
        part = slice(start, start + len(anchors))
        scores, order = OBJECTNESS[image, part], np.argsort(-OBJECTNESS[image, part])[:20]
        boxes = np.clip(np.asarray(decode_boxes(DELTAS[image, part], anchors)), 0, 64)[order]
        is_kept = greedy(boxes, (boxes[:, 2:] > boxes[:, :2]).all(1), 0.3, None)
        candidates += list(zip(scores[order][is_kept], boxes[is_kept], strict=True))
        start += len(anchors)
    return np.array([box for _, box in sorted(candidates, key=lambda pair: -pair[0])][:15])


def test_proposals_are_the_best_boxes_of_each_level_after_suppression():
    proposals = np.asarray(select()(OBJECTNESS, DELTAS))
    for image in (0, 1):
        expected = expected_proposals(image)
        np.testing.assert_allclose(proposals[image, : len(expected)], expected, atol=1e-4)
        assert (proposals[image, len(expected) :] == -1).all()


def test_suppressed_proposals_are_padding():
    proposals = np.asarray(select(overlap_threshold=0.0)(OBJECTNESS, DELTAS))
    assert (proposals[:, -1] == -1).all() and (proposals[:, 0] >= 0).all()


def test_proposals_are_at_most_the_candidates():
    assert select(num_proposals=1000)(OBJECTNESS, DELTAS).shape == (2, 32, 4)


def test_a_pyramid_level_has_twice_as_many_candidates_as_proposals_by_default():
    settings = replace(PYRAMID, candidates_per_level=None, num_proposals=7)
    assert RegionProposals(GRID, settings).select.candidates_per_level == 14
    single = AnchorGrid(64, (16,), ((16.0,),), (1.0,))
    assert RegionProposals(single, settings).select.candidates_per_level == 1000


def test_no_gradient_flows_through_it():
    objectness, deltas = tf.constant(OBJECTNESS), tf.constant(DELTAS)
    with tf.GradientTape() as tape:
        tape.watch([objectness, deltas])
        value = tf.reduce_sum(select()(objectness, deltas))
    assert tape.gradient(value, [objectness, deltas]) == [None, None]


def test_it_is_rebuilt_from_its_configuration():
    again = ProposalSelection.from_config(select().get_config())
    np.testing.assert_array_equal(again(OBJECTNESS, DELTAS), select()(OBJECTNESS, DELTAS))


def test_one_network_is_applied_to_every_level():
    levels = [keras.Input((4, 4, 6)), keras.Input((2, 2, 6))]
    network = RegionProposals(GRID, PYRAMID)
    objectness, deltas, proposals = network(levels)
    assert (objectness.shape, deltas.shape, proposals.shape) == ((None, 60), (None, 60, 4), (None, 12, 4))
    model = keras.Model(levels, [objectness, deltas])
    assert len(model.trainable_variables) == 6
    # The outputs of a level are in the order of its anchors: by row, by column, by anchor.
    arrays = [GENERATOR.normal(size=(1, *level.shape[1:])).astype("float32") for level in levels]
    hidden = [np.asarray(model.get_layer("proposals.conv")(array)) for array in arrays]
    scores, shifts = map(np.asarray, model(arrays))
    kernel = np.asarray(model.get_layer("proposals.objectness").kernel)[0, 0]
    np.testing.assert_allclose(scores[0, 48 + 3 * (2 * 1 + 0) + 2], hidden[1][0, 1, 0] @ kernel[:, 2], atol=1e-5)
    kernel = np.asarray(model.get_layer("proposals.deltas").kernel)[0, 0]
    np.testing.assert_allclose(shifts[0, 3 * (4 * 2 + 1) + 1], hidden[0][0, 2, 1] @ kernel[:, 4:8], atol=1e-5)
    sample = GENERATOR.integers(0, 60, (1, 25)).astype("int32")
    values = network.at(arrays, sample)
    np.testing.assert_allclose(values[0], scores[:, sample[0]], atol=1e-5)
    np.testing.assert_allclose(values[1], shifts[:, sample[0]], atol=1e-5)
