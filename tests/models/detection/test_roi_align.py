import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.models.detection.roi_align import RoIAlign, levels_of_boxes

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(2, 9, 12, 3)).astype("float32")
BOXES = np.array(
    [
        [[8, 8, 40, 56], [0, 0, 96, 72], [3.3, 7.1, 9.9, 8.2], [-20, -30, 30, 20]],
        [[60, 50, 130, 110], [90, 70, 96, 72], [5, 5, 5, 5], [-1, -1, -1, -1]],
    ],
    "float32",
)


def interpolate(features, y, x):
    height, width, channels = features.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(channels)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = features[top, left] * (1 - across) + features[top, right] * across
    lower = features[bottom, left] * (1 - across) + features[bottom, right] * across
    return upper * (1 - down) + lower * down


def reference(features, box, stride, pool_size, sampling_ratio):
    """Pools one box like torchvision's roi_align(aligned=True)."""
    left, top, right, bottom = box / stride - 0.5
    bin_height, bin_width = (bottom - top) / pool_size, (right - left) / pool_size
    pooled = np.zeros((pool_size, pool_size, features.shape[-1]))
    for row, column in np.ndindex(pool_size, pool_size):
        points = [
            interpolate(
                features,
                top + bin_height * (row + (i + 0.5) / sampling_ratio),
                left + bin_width * (column + (j + 0.5) / sampling_ratio),
            )
            for i in range(sampling_ratio)
            for j in range(sampling_ratio)
        ]
        pooled[row, column] = np.mean(points, axis=0)
    return pooled


@pytest.mark.parametrize("pool_size, sampling_ratio", [(7, 2), (2, 1), (3, 3)])
def test_pooling_equals_numpy(pool_size, sampling_ratio):
    pooled = np.asarray(RoIAlign([8], pool_size, sampling_ratio)([FEATURES], BOXES))
    for image, index in np.ndindex(2, 4):
        expected = reference(FEATURES[image], BOXES[image, index], 8, pool_size, sampling_ratio)
        np.testing.assert_allclose(pooled[image, index], expected, atol=1e-4)


def test_a_linear_ramp_is_pooled_exactly():
    ramp = np.stack(np.meshgrid(np.arange(16.0), np.arange(16.0)), axis=-1)[None].astype("float32")
    pooled = np.asarray(RoIAlign([4], 4)([ramp], np.array([[[8, 12, 40, 44]]], "float32")))[0, 0]
    # The middle of the first bin lies 4 pixels inside the box; the alignment shifts it by half a cell.
    np.testing.assert_allclose(pooled[..., 0], np.tile((8 + 4 + 8 * np.arange(4)) / 4 - 0.5, (4, 1)), atol=1e-5)
    np.testing.assert_allclose(pooled[..., 1].T, np.tile((12 + 4 + 8 * np.arange(4)) / 4 - 0.5, (4, 1)), atol=1e-5)


def test_each_box_is_pooled_from_its_level():
    sizes = [16, 8, 4]
    levels = [GENERATOR.normal(size=(1, size, size, 2)).astype("float32") for size in sizes]
    boxes = np.array([[[0, 0, 60, 60], [10, 10, 240, 250], [0, 0, 500, 480], [30, 0, 200, 100]]], "float32")
    pooled = np.asarray(RoIAlign([8, 16, 32], 3)(levels, boxes))
    for index, level in enumerate([0, 1, 2, 0]):
        expected = reference(levels[level][0], boxes[0, index], 8 * 2**level, 3, 2)
        np.testing.assert_allclose(pooled[0, index], expected, atol=1e-4)


@pytest.mark.parametrize("side", [20, 111, 113, 223.9, 224, 447, 448, 900])
def test_levels_equal_the_equation(side):
    box = np.array([10, 10, 10 + side * 2, 10 + side / 2], "float32")
    expected = np.clip(math.floor(4 + math.log2(side / 224)), 2, 5) - 2
    assert int(levels_of_boxes(box, [4, 8, 16, 32])) == expected


def test_gradients_equal_finite_differences():
    layer, weights = RoIAlign([8], 2), GENERATOR.normal(size=(2, 4, 2, 2, 3)).astype("float32")
    features, boxes = tf.constant(FEATURES), tf.constant(BOXES)
    with tf.GradientTape() as tape:
        tape.watch([features, boxes])
        value = tf.reduce_sum(layer([features], boxes) * weights)
    gradient, none = tape.gradient(value, [features, boxes])
    assert none is None
    # Pooling is linear in the features.
    assert float(tf.reduce_sum(gradient * features)) == pytest.approx(float(value), rel=1e-4)
    step = GENERATOR.normal(size=FEATURES.shape).astype("float32")
    moved = float(tf.reduce_sum(layer([features + step], boxes) * weights))
    assert moved - float(value) == pytest.approx(float(tf.reduce_sum(gradient * step)), rel=1e-3, abs=1e-3)


def test_it_compiles_under_xla():
    layer = RoIAlign([8], 3)
    compiled = tf.function(lambda features, boxes: layer([features], boxes), jit_compile=True)
    np.testing.assert_allclose(compiled(FEATURES, BOXES), layer([FEATURES], BOXES), atol=1e-5)


def test_boxes_stay_float32_with_half_precision_features():
    layer = RoIAlign([8], 3, dtype="mixed_bfloat16")
    pooled = layer([keras.ops.cast(FEATURES, "bfloat16")], BOXES)
    assert pooled.dtype == "bfloat16"
    np.testing.assert_allclose(keras.ops.cast(pooled, "float32"), RoIAlign([8], 3)([FEATURES], BOXES), atol=0.05)


def test_output_shape_is_computed():
    outputs = RoIAlign([8, 16], 5)([keras.Input((8, 8, 6)), keras.Input((4, 4, 6))], keras.Input((10, 4)))
    assert outputs.shape == (None, 10, 5, 5, 6)
    assert RoIAlign.from_config(RoIAlign([8, 16], 5, 1).get_config()).strides == [8, 16]


def test_too_many_points_in_a_box_are_refused():
    RoIAlign([4], pool_size=32, sampling_ratio=2)
    with pytest.raises(ValueError, match="more than 64 points along a side"):
        RoIAlign([4], pool_size=1024, sampling_ratio=1024)
