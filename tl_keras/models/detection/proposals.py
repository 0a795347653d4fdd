"""Region proposals: class-agnostic boxes of objects. Block `proposals`."""

from dataclasses import asdict

import keras
import numpy as np
from keras import ops

from tl_keras.models.detection.sparse_convolution import convolve_at
from tl_keras.models.detection.suppression import non_max_suppression
from tl_keras.models.detection.targets.anchors import AnchorGrid
from tl_keras.models.detection.targets.box_coding import clip_boxes, decode_boxes

SINGLE_MAP_CANDIDATES = 1000


class RegionProposals:
    """Region proposal network, one small network that slides over every level.

    Ren et al. 2015 (https://arxiv.org/abs/1506.01497, section 3.1).

    Args:
        anchors: `AnchorGrid` of the levels.
        settings: `FasterRCNNSettings`.
    """

    def __init__(self, anchors, settings):
        self.anchors = anchors
        self.slide = _convolution(settings.channels, 3, "proposals.conv", activation="relu")
        self.score = _convolution(anchors.per_cell, 1, "proposals.objectness", dtype="float32")
        self.shift = _convolution(4 * anchors.per_cell, 1, "proposals.deltas", dtype="float32")
        self.select = ProposalSelection(
            anchors,
            candidates_per_level=settings.candidates_per_level or _default_candidates(anchors, settings.num_proposals),
            num_proposals=settings.num_proposals,
            overlap_threshold=settings.proposal_iou_threshold,
            name="proposals.select",
        )

    def __call__(self, levels):
        """Computes scores, offsets and proposals for all anchors.

        Args:
            levels: list of Keras tensors (batch, size, size, channels).

        Returns:
            Tuple of three Keras tensors, float32: `objectness` (batch, all_anchors), logits; `deltas` (batch,
            all_anchors, 4), see `encode_boxes`; and the proposals (batch, num_proposals, 4), see `ProposalSelection`.
        """
        hidden = [self.slide(level) for level in levels]
        objectness = [ops.reshape(self.score(level), (-1, self._anchors_of(level))) for level in hidden]
        deltas = [ops.reshape(self.shift(level), (-1, self._anchors_of(level), 4)) for level in hidden]
        objectness, deltas = _concatenated(objectness), _concatenated(deltas)
        return objectness, deltas, self.select(objectness, deltas)

    def at(self, levels, sample):
        """Computes scores and offsets for a sample of anchors, which is cheaper in training than for all.

        Args:
            levels: list of floating-point (batch, size, size, channels).
            sample: int32 (batch, n), indices into all anchors.

        Returns:
            Tuple of float32: objectness (batch, n) and deltas (batch, n, 4), equal to those of a call.
        """
        cells, places = sample // self.anchors.per_cell, sample % self.anchors.per_cell
        hidden = convolve_at(levels, ops.cast(self.slide.kernel, levels[0].dtype), cells)
        hidden = ops.relu(hidden + ops.cast(self.slide.bias, hidden.dtype))
        is_place = ops.one_hot(places, self.anchors.per_cell)
        scores = _at_cells(self.score, hidden)
        shifts = ops.reshape(_at_cells(self.shift, hidden), (-1, sample.shape[1], self.anchors.per_cell, 4))
        return ops.sum(scores * is_place, axis=-1), ops.sum(shifts * is_place[..., None], axis=-2)

    def _anchors_of(self, level):
        return level.shape[1] * level.shape[2] * self.anchors.per_cell


@keras.saving.register_keras_serializable("tl_keras")
class ProposalSelection(keras.layers.Layer):
    """Selects proposals: the best boxes of each level after non-maximum suppression.

    Call arguments:
        objectness: float32 (batch, all_anchors), logits.
        deltas: float32 (batch, all_anchors, 4).

    Returns:
        float32 (batch, num_proposals, 4), xyxy in pixels, inside the image, best first, padded with -1. No gradient
        flows through it.

    Args:
        anchors: `AnchorGrid`, or its fields as a dict.
        candidates_per_level: number of best anchors of each level to decode.
        num_proposals: number of boxes to return, at most the number of candidates.
        overlap_threshold: IoU above which the less confident of two boxes of a level is dropped. The name is a key of
            saved models.
    """

    def __init__(self, anchors, *, candidates_per_level, num_proposals, overlap_threshold, **options):
        # bfloat16 cannot represent pixel coordinates such as 1001.
        super().__init__(**{**options, "dtype": "float32"})
        self.anchors = AnchorGrid(**anchors) if isinstance(anchors, dict) else anchors
        self.candidates_per_level = candidates_per_level
        candidates = sum(min(len(level), candidates_per_level) for level in self.anchors.levels())
        self.num_proposals = min(num_proposals, candidates)
        self.overlap_threshold = overlap_threshold

    def call(self, objectness, deltas):
        """Selects the proposals, see the class."""
        objectness, deltas = ops.stop_gradient(objectness), ops.stop_gradient(deltas)
        boxes, scores, start = [], [], 0
        for anchors in self.anchors.levels():
            part = slice(start, start + len(anchors))
            level = self._best_of_level(objectness[:, part], deltas[:, part], anchors)
            boxes.append(level[0])
            scores.append(level[1])
            start += len(anchors)
        scores, best = ops.top_k(ops.concatenate(scores, axis=1), self.num_proposals)
        boxes = ops.take_along_axis(ops.concatenate(boxes, axis=1), best[..., None], axis=1)
        return ops.stop_gradient(ops.where(ops.isfinite(scores)[..., None], boxes, -1.0))

    def _best_of_level(self, objectness, deltas, anchors):
        """Returns boxes (batch, k, 4) and their scores (batch, k), -infinity where a box is dropped."""
        scores, best = ops.top_k(objectness, min(self.candidates_per_level, len(anchors)))
        deltas = ops.take_along_axis(deltas, best[..., None], axis=1)
        boxes = decode_boxes(deltas, ops.take(ops.convert_to_tensor(anchors), best, axis=0))
        boxes = clip_boxes(boxes, self.anchors.image_size)
        has_area = ops.all(boxes[..., 2:] > boxes[..., :2], axis=-1)
        is_kept = non_max_suppression(boxes, has_area, self.overlap_threshold)
        return boxes, ops.where(is_kept, scores, -np.inf)

    def compute_output_shape(self, objectness_shape, deltas_shape):
        """Returns (batch, num_proposals, 4)."""
        return (objectness_shape[0], self.num_proposals, 4)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "anchors": asdict(self.anchors),
            "candidates_per_level": self.candidates_per_level,
            "num_proposals": self.num_proposals,
            "overlap_threshold": self.overlap_threshold,
        }


def _default_candidates(anchors, num_proposals):
    return 2 * num_proposals if len(anchors.strides) > 1 else SINGLE_MAP_CANDIDATES


def _at_cells(layer, hidden):
    """Applies a 1 x 1 convolution in float32 to (batch, n, channels)."""
    return ops.matmul(ops.cast(hidden, "float32"), layer.kernel[0, 0]) + layer.bias


def _concatenated(parts):
    return ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def _convolution(channels, size, name, **options):
    # As in detectron2's StandardRPNHead.
    initializer = keras.initializers.RandomNormal(stddev=0.01)
    return keras.layers.Conv2D(channels, size, padding="same", kernel_initializer=initializer, name=name, **options)
