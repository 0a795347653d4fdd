"""Decoding of network outputs to detections, as layers, so that a saved model contains it."""

from dataclasses import asdict

import keras
from keras import ops

from tl_keras.models.detection.settings import DecodingSettings
from tl_keras.models.detection.suppression import non_max_suppression
from tl_keras.models.detection.targets.anchors import AnchorGrid
from tl_keras.models.detection.targets.box_coding import clip_boxes, decode_boxes

PADDING = -1
HEAD_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Weights of the offsets of a box head, `MODEL.ROI_BOX_HEAD.BBOX_REG_WEIGHTS` in detectron2."""


class Decoder(keras.layers.Layer):
    """Decodes outputs to detections with a score threshold and non-maximum suppression; the base class.

    Subclasses implement `boxes_and_scores`.

    Returns:
        Dictionary of `boxes`, float32 (batch, max_detections, 4), in `bounding_box_format`, `scores`, float32 (batch,
        max_detections), and `labels`, int32 (batch, max_detections), best first, padded with -1.

    Args:
        image_size: height and width of the image in pixels.
        settings: `DecodingSettings`, or its fields as a dict.
        bounding_box_format: see `build_object_detector`.
    """

    def __init__(self, image_size, settings, bounding_box_format="xyxy", **options):
        super().__init__(**{"name": "detections", **options, "dtype": "float32"})
        self.image_size = image_size
        self.settings = DecodingSettings(**settings) if isinstance(settings, dict) else settings
        self.bounding_box_format = bounding_box_format

    def boxes_and_scores(self, *outputs):
        """Converts the outputs of the network to boxes and scores.

        Args:
            outputs: arguments of the call.

        Returns:
            Boxes and scores as in `select_detections`.
        """
        raise NotImplementedError

    def call(self, *outputs):
        """Computes the detections, see the class; one NaN makes all scores of its image NaN."""
        boxes, scores = self.boxes_and_scores(*outputs)
        detections = select_detections(clip_boxes(boxes, self.image_size), scores, self.settings)
        # No comparison is true for NaN, so that what is broken would look like an image without objects.
        is_broken = (_has_nan(boxes) | _has_nan(scores))[:, None]
        detections |= {"scores": ops.where(is_broken, float("nan"), detections["scores"])}
        if self.bounding_box_format == "xyxy":
            return detections
        boxes = keras.utils.bounding_boxes.convert_format(
            detections["boxes"], "xyxy", self.bounding_box_format, self.image_size, self.image_size
        )
        return detections | {"boxes": ops.where(detections["scores"][..., None] >= 0, boxes, float(PADDING))}

    def get_config(self):
        """Returns the arguments of the constructor."""
        own = {"image_size": self.image_size, "bounding_box_format": self.bounding_box_format}
        return {**super().get_config(), **own, "settings": asdict(self.settings)}


@keras.saving.register_keras_serializable("tl_keras")
class ProposalDecoder(Decoder):
    """Decodes the outputs of a box head: a softmax over the classes, and one box per class.

    Call arguments:
        proposals: float32 (batch, n, 4), xyxy in pixels, padded with -1.
        logits: float32 (batch, n, num_classes + 1), with the background last.
        deltas: float32 (batch, n, 4, num_classes).
    """

    def boxes_and_scores(self, proposals, logits, deltas):
        """Returns float32 (batch, n, num_classes, 4) and (batch, n, num_classes)."""
        is_proposal = proposals[..., 2:3] > proposals[..., 0:1]
        scores = ops.where(is_proposal, ops.softmax(logits, axis=-1)[..., :-1], 0.0)
        boxes = decode_boxes(ops.swapaxes(deltas, 2, 3), proposals[:, :, None], HEAD_WEIGHTS)
        return boxes, scores


@keras.saving.register_keras_serializable("tl_keras")
class AnchorDecoder(Decoder):
    """Decodes the class logits and offsets of anchors: one sigmoid per class.

    Call arguments:
        logits: float32 (batch, all_anchors, num_classes).
        deltas: float32 (batch, all_anchors, 4).

    Args:
        anchors: `AnchorGrid`, or its fields as a dict.
        settings: `DecodingSettings`, or its fields as a dict.
        bounding_box_format: see `build_object_detector`.
    """

    def __init__(self, anchors, settings, bounding_box_format="xyxy", **options):
        self.anchors = AnchorGrid(**anchors) if isinstance(anchors, dict) else anchors
        super().__init__(self.anchors.image_size, settings, bounding_box_format, **options)

    def boxes_and_scores(self, logits, deltas):
        """Returns float32 (batch, all_anchors, 4) and (batch, all_anchors, num_classes)."""
        return decode_boxes(deltas, self.anchors.all()), ops.sigmoid(logits)

    def get_config(self):
        """Returns the arguments of the constructor."""
        config = {**super().get_config(), "anchors": asdict(self.anchors)}
        del config["image_size"]
        return config


def _has_nan(values):
    return ops.any(ops.isnan(values), axis=tuple(range(1, len(values.shape))))


def select_detections(boxes, scores, settings):
    """Selects detections by their scores and by non-maximum suppression per class.

    Args:
        boxes: float32 (batch, n, 4), or (batch, n, num_classes, 4) for separate boxes per class; xyxy in pixels.
        scores: float32 (batch, n, num_classes), 0 to 1.
        settings: `DecodingSettings`.

    Returns:
        Dictionary of `boxes`, float32 (batch, max_detections, 4), `scores`, float32 (batch, max_detections), and
        `labels`, int32 (batch, max_detections), best first, padded with -1.
    """
    number, num_classes = scores.shape[1:]
    candidates = min(settings.max_candidates, number * num_classes)
    best_scores, best = ops.top_k(ops.reshape(scores, (-1, number * num_classes)), candidates)
    labels = ops.cast(best % num_classes, "int32")
    rows, per_row = (best, num_classes) if len(boxes.shape) == 4 else (best // num_classes, 1)
    boxes = ops.take_along_axis(ops.reshape(boxes, (-1, number * per_row, 4)), rows[..., None], axis=1)
    has_area = ops.all(boxes[..., 2:] > boxes[..., :2], axis=-1)
    is_candidate = (best_scores >= settings.score_threshold) & has_area
    is_kept = non_max_suppression(boxes, is_candidate, settings.overlap_threshold, labels)
    return _first(boxes, ops.where(is_kept, best_scores, float(PADDING)), labels, settings.max_detections)


def _first(boxes, scores, labels, number):
    """Moves the kept boxes to the front and pads or truncates them to `number`."""
    missing = max(number - scores.shape[1], 0)
    boxes = ops.pad(boxes, ((0, 0), (0, missing), (0, 0)))
    labels = ops.pad(labels, ((0, 0), (0, missing)))
    scores, best = ops.top_k(ops.pad(scores, ((0, 0), (0, missing)), constant_values=PADDING), number)
    is_detection = scores >= 0
    return {
        "boxes": ops.where(
            is_detection[..., None], ops.take_along_axis(boxes, best[..., None], axis=1), float(PADDING)
        ),
        "scores": scores,
        "labels": ops.where(is_detection, ops.take_along_axis(labels, best, axis=1), PADDING),
    }
