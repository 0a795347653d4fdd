"""RoIAlign: the features inside a box of any size as a small map of fixed size."""

import keras
import numpy as np
from keras import ops

CANONICAL_SIZE, CANONICAL_LEVEL = 224, 4
"""A box of 224 x 224 pixels is pooled from the level of stride 16 = 2 ** 4."""
BOXES_PER_STEP = 128
MAX_POINTS = 64
"""Maximum number of points along a side of a box."""


@keras.saving.register_keras_serializable("tl_keras")
class RoIAlign(keras.layers.Layer):
    """Samples features inside boxes by bilinear interpolation.

    He et al. 2017, "Mask R-CNN" (https://arxiv.org/abs/1703.06870, section 3), as torchvision's
    `roi_align(aligned=True)`: the centre of the first cell lies at 0.5 strides, each bin is the mean of
    `sampling_ratio` x `sampling_ratio` points, and points more than a cell outside the map count as zero. With several
    levels, the size of a box selects its level: Lin et al. 2017, "Feature Pyramid Networks"
    (https://arxiv.org/abs/1612.03144, equation 1).

    Call arguments:
        features: list of floating-point (batch, height, width, channels), finest level first.
        boxes: float32 (batch, n, 4), xyxy in pixels of the image.

    Returns:
        (batch, n, pool_size, pool_size, channels), in the dtype of the features. Gradients flow to the features,
        not to the boxes.

    Args:
        strides: list of pixels per cell, one per level, such as [4, 8, 16, 32].
        pool_size: bins along each side.
        sampling_ratio: points in each bin along each side; 2 as in torchvision's detectors.
    """

    def __init__(self, strides, pool_size=7, sampling_ratio=2, **options):
        # Autocasting would round the boxes to half precision.
        super().__init__(autocast=False, **options)
        if not pool_size * sampling_ratio <= MAX_POINTS:
            raise ValueError(f"it samples more than {MAX_POINTS} points along a side of a box")
        self.strides = list(strides)
        self.pool_size = pool_size
        self.sampling_ratio = sampling_ratio

    def call(self, features, boxes):
        """Pools the features of the boxes, see the class."""
        boxes = ops.stop_gradient(ops.cast(boxes, "float32"))
        levels = levels_of_boxes(boxes, self.strides)
        heights, widths = ([feature.shape[axis] for feature in features] for axis in (1, 2))
        cells = boxes / ops.take(ops.convert_to_tensor(self.strides, "float32"), levels)[..., None]
        height, width = (ops.take(ops.convert_to_tensor(sizes), levels)[..., None] for sizes in (heights, widths))
        rows, down = self._along_axis(cells[..., 1::2], height)
        columns, across = self._along_axis(cells[..., 0::2], width)
        flat, starts = _flatten(features, levels)
        at = (starts[..., None] + rows * width)[..., None] + columns[..., None, :]
        down, across = ops.cast(down, flat.dtype), ops.cast(across, flat.dtype)
        parts = []
        # A box gathers (2 * sampling_ratio * pool_size) ** 2 cells; all boxes at once would need too much memory.
        for first in range(0, boxes.shape[1], BOXES_PER_STEP):
            part = slice(first, first + BOXES_PER_STEP)
            parts.append(_interpolate(flat, at[:, part], down[:, part], across[:, part]))
        return ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

    def _along_axis(self, ends, length):
        """Computes the cells of the bins along one axis, and their weights.

        `ends` is (batch, n, 2), in cells; `length` is (batch, n, 1). Returns int32 (batch, n, pool_size * 2 *
        sampling_ratio), the cells before and after each point, by bin, and float32 (batch, n, pool_size, pool_size
        * 2 * sampling_ratio), the weight of each cell in each bin.
        """
        low, high = ends[..., :1] - 0.5, ends[..., 1:] - 0.5
        last = ops.cast(length, "float32") - 1
        share = (np.arange(self.pool_size * self.sampling_ratio) + 0.5) / (self.pool_size * self.sampling_ratio)
        at = low + share.astype("float32") * (high - low)
        weight = ops.cast((at >= -1) & (at <= last + 1), "float32") / self.sampling_ratio
        at = ops.clip(at, 0.0, last)
        before = ops.floor(at)
        cells = ops.stack([before, ops.minimum(before + 1, last)], axis=-1)
        weights = ops.stack([(1 - at + before) * weight, (at - before) * weight], axis=-1)
        number, per_bin = ends.shape[1], 2 * self.sampling_ratio
        is_own = np.repeat(np.eye(self.pool_size, dtype="float32"), per_bin, axis=1)
        cells, weights = (ops.reshape(part, (-1, number, self.pool_size * per_bin)) for part in (cells, weights))
        return ops.cast(cells, "int32"), weights[:, :, None] * is_own

    def compute_output_shape(self, features_shape, boxes_shape):
        """Returns (batch, n, pool_size, pool_size, channels)."""
        return (*boxes_shape[:2], self.pool_size, self.pool_size, features_shape[0][-1])

    def get_config(self):
        """Returns the arguments of the constructor."""
        own = {"strides": self.strides, "pool_size": self.pool_size, "sampling_ratio": self.sampling_ratio}
        return {**super().get_config(), **own}


def _interpolate(flat, at, down, across):
    """Pools the cells (batch, n, rows, columns) of each box by the weights of rows and columns in each bin.

    Matrix products take half the time of a sum over the four corners of each point.
    """
    number, bins, rows = down.shape[1:]
    columns, channels = at.shape[3], flat.shape[1]
    values = ops.reshape(ops.take(flat, at, axis=0), (-1, number, rows, columns * channels))
    values = ops.reshape(ops.matmul(down, values), (-1, number, bins, columns, channels))
    return ops.matmul(across[:, :, None], values)


def levels_of_boxes(boxes, strides):
    """Selects the level of the pyramid for each box by its size.

    Lin et al. 2017 (https://arxiv.org/abs/1612.03144, equation 1): k = floor(4 + log2(sqrt(w h) / 224)), clipped to the
    existing levels.

    Args:
        boxes: float32 (..., 4), xyxy in pixels.
        strides: list of pixels per cell, each twice the one before.

    Returns:
        int32 (...), indices into `strides`.
    """
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 1e-3)
    size = ops.sqrt(ops.prod(sides, axis=-1))
    # As in detectron2, 1e-8 keeps a box of exactly 224 pixels from the lower level in spite of rounding.
    level = ops.floor(CANONICAL_LEVEL + ops.log2(size / CANONICAL_SIZE + 1e-8))
    first = int(strides[0]).bit_length() - 1
    return ops.cast(ops.clip(level - first, 0, len(strides) - 1), "int32")


def _flatten(features, levels):
    """Returns the cells of all images and levels, (cells, channels), and the start of each box's map, (batch, n)."""
    maps = [ops.reshape(feature, (-1, feature.shape[1] * feature.shape[2], feature.shape[3])) for feature in features]
    offsets = [sum(part.shape[1] for part in maps[:index]) for index in range(len(maps))]
    joined = ops.concatenate(maps, axis=1)
    images = ops.arange(ops.shape(levels)[0], dtype="int32")[:, None] * joined.shape[1]
    return ops.reshape(joined, (-1, joined.shape[2])), images + ops.take(ops.convert_to_tensor(offsets), levels)
