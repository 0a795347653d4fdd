import numpy as np
import tensorflow as tf

from tl_keras.models.detection.sparse_convolution import convolve_at

GENERATOR = np.random.default_rng(0)
MAPS = [tf.constant(GENERATOR.normal(size=(2, size, size, 3)).astype("float32")) for size in (5, 3, 1)]
KERNEL = tf.constant(GENERATOR.normal(size=(3, 3, 3, 4)).astype("float32"))
CELLS = np.stack([GENERATOR.permutation(35)[:20], GENERATOR.permutation(35)[:20]]).astype("int32")
WEIGHTS = GENERATOR.normal(size=(2, 20, 4)).astype("float32")


def convolve_all(maps, kernel):
    """Computes the convolution at all cells of all maps, and at selected ones."""
    whole = [tf.nn.conv2d(part, kernel, 1, "SAME") for part in maps]
    flat = tf.concat([tf.reshape(part, (2, -1, 4)) for part in whole], axis=1)
    return tf.gather(flat, CELLS, batch_dims=1)


def test_values_equal_the_convolution_at_the_cells():
    np.testing.assert_allclose(convolve_at(MAPS, KERNEL, CELLS), convolve_all(MAPS, KERNEL), atol=1e-5)


def test_gradients_equal_those_of_the_convolution():
    gradients = []
    for convolve in (lambda maps, kernel: convolve_at(maps, kernel, CELLS), convolve_all):
        with tf.GradientTape() as tape:
            tape.watch([*MAPS, KERNEL])
            value = tf.reduce_sum(convolve(MAPS, KERNEL) * WEIGHTS)
        gradients.append(tape.gradient(value, [*MAPS, KERNEL]))
    for gradient, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-4)


def test_it_compiles_under_xla():
    compiled = tf.function(lambda maps: convolve_at(maps, KERNEL, CELLS), jit_compile=True)
    np.testing.assert_allclose(compiled(MAPS), convolve_all(MAPS, KERNEL), atol=1e-5)
