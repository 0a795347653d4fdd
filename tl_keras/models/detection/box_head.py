"""Box head: the class of each proposal and a refined box per class. Block `head`."""

import keras
from keras import ops

from tl_keras.models.detection.roi_align import RoIAlign


class BoxHead:
    """Classifies proposals and refines their boxes by RoIAlign and dense layers.

    Girshick 2015, "Fast R-CNN" (https://arxiv.org/abs/1504.08083, section 2). In the kernels of the last layers the
    class is the last axis, or its fastest-varying part, so that weights can be loaded class by class.

    Args:
        num_classes: number of classes, without the background.
        strides: list of pixels per cell, one per feature map.
        settings: `FasterRCNNSettings`.
    """

    def __init__(self, num_classes, strides, settings):
        self.num_classes = num_classes
        self.align = RoIAlign(strides, settings.pool_size, settings.sampling_ratio, name="head.align")
        widths = enumerate(settings.head_units, start=1)
        self.hidden = [_dense(width, f"head.dense{number}") for number, width in widths]
        # Standard deviations as in detectron2's FastRCNNOutputLayers.
        self.logits = _last(num_classes, 0.01, "head.logits")
        self.background = _last(1, 0.01, "head.background")
        self.boxes = _last(4 * num_classes, 0.001, "head.boxes")

    def __call__(self, features, boxes):
        """Computes the class logits and the offsets of boxes.

        Args:
            features: list of (batch, height, width, channels), tensors or Keras tensors; maps beyond `strides` are
                ignored.
            boxes: float32 (batch, n, 4), xyxy in pixels, n static.

        Returns:
            Tuple of float32 (batch, n, num_classes + 1), logits of the classes and, last, of the background, and
            float32 (batch, n, 4, num_classes), offsets for `decode_boxes`.
        """
        pooled = self.align(features[: len(self.align.strides)], boxes)
        number, *bins = pooled.shape[1:]
        outputs = ops.reshape(pooled, (-1, number, bins[0] * bins[1] * bins[2]))
        for layer in self.hidden:
            outputs = layer(outputs)
        logits = ops.concatenate([self.logits(outputs), self.background(outputs)], axis=-1)
        return logits, ops.reshape(self.boxes(outputs), (-1, number, 4, self.num_classes))


def _dense(units, name):
    initializer = keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")
    return keras.layers.Dense(units, activation="relu", kernel_initializer=initializer, name=name)


def _last(units, deviation, name):
    initializer = keras.initializers.RandomNormal(stddev=deviation)
    return keras.layers.Dense(units, kernel_initializer=initializer, dtype="float32", name=name)
