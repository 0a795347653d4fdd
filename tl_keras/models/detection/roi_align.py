"""RoIAlign: the features of a box, whatever its size, as a small map of fixed size."""

import keras
import numpy as np
from keras import ops

CANONICAL_SIZE, CANONICAL_LEVEL = 224, 4
"""A box of 224 x 224 pixels takes its features from the level of stride 16 = 2 ** 4."""


@keras.saving.register_keras_serializable("tl_keras")
class RoIAlign(keras.layers.Layer):
    """Samples features inside boxes by bilinear interpolation.

    He et al. 2017, "Mask R-CNN" (https://arxiv.org/abs/1703.06870, section 3), as torchvision's
    `roi_align(aligned=True)`: the centre of the first cell lies at 0.5 strides, each bin is the mean of
    `sampling_ratio` x `sampling_ratio` points, and points more than a cell outside the map count as zero. With several
    levels a box takes the one that suits its size: Lin et al. 2017, "Feature Pyramid Networks"
    (https://arxiv.org/abs/1612.03144, equation 1).

    Call arguments:
        features: list of floating-point (batch, height, width, channels), finest level first.
        boxes: float32 (batch, n, 4), xyxy in pixels of the image.

    Returns:
        (batch, n, pool_size, pool_size, channels), in the type of the features. Its gradient reaches the features, not
        the boxes.

    Args:
        strides: list of pixels per cell, one for each level, such as [4, 8, 16, 32].
        pool_size: bins along each side.
        sampling_ratio: points in each bin along each side; 2 as in torchvision's detectors.
    """

    def __init__(self, strides, pool_size=7, sampling_ratio=2, **options):
        # Boxes must not be rounded to half precision with the features.
        super().__init__(autocast=False, **options)
        self.strides = list(strides)
        self.pool_size = pool_size
        self.sampling_ratio = sampling_ratio

    def call(self, features, boxes):
        """See the class."""
        boxes = ops.stop_gradient(ops.cast(boxes, "float32"))
        levels = levels_of_boxes(boxes, self.strides)
        heights, widths = ([feature.shape[axis] for feature in features] for axis in (1, 2))
        cells = boxes / ops.take(ops.convert_to_tensor(self.strides, "float32"), levels)[..., None]
        height, width = (ops.take(ops.convert_to_tensor(sizes), levels)[..., None] for sizes in (heights, widths))
        rows = self._along_axis(cells[..., 1::2], height)
        columns = self._along_axis(cells[..., 0::2], width)
        flat, starts = _flatten(features, levels)
        pooled = 0.0
        # One gather for each corner of each point: all at once would take sampling_ratio ** 2 times the memory.
        for row, row_weight in rows:
            for column, column_weight in columns:
                at = (starts[..., None] + row * width)[..., None] + column[..., None, :]
                weight = row_weight[..., None] * column_weight[..., None, :]
                pooled = pooled + ops.take(flat, at, axis=0) * ops.cast(weight, flat.dtype)[..., None]
        return pooled

    def _along_axis(self, ends, length):
        """Finds the cells that a bin is made of along one axis, and their weights.

        `ends` is (batch, n, 2), in cells; `length` is (batch, n, 1). Returns a list of pairs of int32 and float32
        (batch, n, pool_size): the cells before and after each of the bin's points.
        """
        low, high = ends[..., :1] - 0.5, ends[..., 1:] - 0.5
        last = ops.cast(length, "float32") - 1
        pairs = []
        for point in range(self.sampling_ratio):
            share = (np.arange(self.pool_size) + (point + 0.5) / self.sampling_ratio) / self.pool_size
            at = low + share.astype("float32") * (high - low)
            weight = ops.cast((at >= -1) & (at <= last + 1), "float32") / self.sampling_ratio
            at = ops.clip(at, 0.0, last)
            before = ops.floor(at)
            pairs.append((ops.cast(before, "int32"), (1 - at + before) * weight))
            pairs.append((ops.cast(ops.minimum(before + 1, last), "int32"), (at - before) * weight))
        return pairs

    def compute_output_shape(self, features_shape, boxes_shape):
        """Returns (batch, n, pool_size, pool_size, channels)."""
        return (*boxes_shape[:2], self.pool_size, self.pool_size, features_shape[0][-1])

    def get_config(self):
        """Returns the arguments of the constructor."""
        own = {"strides": self.strides, "pool_size": self.pool_size, "sampling_ratio": self.sampling_ratio}
        return {**super().get_config(), **own}


def levels_of_boxes(boxes, strides):
    """Chooses the level of the pyramid that suits the size of each box.

    Lin et al. 2017 (https://arxiv.org/abs/1612.03144, equation 1): k = floor(4 + log2(sqrt(w h) / 224)), cut off at the
    levels that there are.

    Args:
        boxes: float32 (..., 4), xyxy in pixels.
        strides: list of pixels per cell, each twice the one before.

    Returns:
        int32 (...), indices into `strides`.
    """
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 1e-3)
    size = ops.sqrt(ops.prod(sides, axis=-1))
    # The small number is detectron2's: a box of exactly 224 pixels must not fall below by rounding.
    level = ops.floor(CANONICAL_LEVEL + ops.log2(size / CANONICAL_SIZE + 1e-8))
    first = int(strides[0]).bit_length() - 1
    return ops.cast(ops.clip(level - first, 0, len(strides) - 1), "int32")


def _flatten(features, levels):
    """Returns the cells of all images and levels, (cells, channels), and where each box's map begins, (batch, n)."""
    maps = [ops.reshape(feature, (-1, feature.shape[1] * feature.shape[2], feature.shape[3])) for feature in features]
    offsets = [sum(part.shape[1] for part in maps[:index]) for index in range(len(maps))]
    joined = ops.concatenate(maps, axis=1)
    images = ops.arange(ops.shape(levels)[0], dtype="int32")[:, None] * joined.shape[1]
    return ops.reshape(joined, (-1, joined.shape[2])), images + ops.take(ops.convert_to_tensor(offsets), levels)
