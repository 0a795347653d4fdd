import numpy as np
import tensorflow as tf

from tl_keras.explanation.integrated_gradients import integrated_gradients

INPUTS = np.array([[1.0, -2.0], [0.5, 3.0]], "float32")
BASELINE = np.array([[0.0, 1.0], [0.5, -1.0]], "float32")


def test_attributions_are_those_of_equation_1():
    # The integral of 3 (a x)^2 x over a, from a baseline of 0, is x^3.
    found = integrated_gradients(lambda x: tf.reduce_sum(x**3, (1, 2)), INPUTS, np.zeros((2, 2)))
    np.testing.assert_allclose(found.values, INPUTS**3, rtol=1e-5)
    assert found.output == (INPUTS**3).sum() and found.baseline_output == 0
    assert found.is_complete


def test_attributions_match_the_sum_of_equation_3():
    kernel = np.array([[0.7, -0.4], [0.2, 0.9]], "float32")
    found = integrated_gradients(lambda x: tf.sigmoid(tf.reduce_sum(x * kernel, (1, 2))), INPUTS, BASELINE)
    steps = (np.arange(20_000) + 0.5) / 20_000
    path = BASELINE + steps[:, None, None] * (INPUTS - BASELINE)
    outputs = 1 / (1 + np.exp(-(path * kernel).sum((1, 2))))
    gradients = (outputs * (1 - outputs))[:, None, None] * kernel
    np.testing.assert_allclose(found.values, (INPUTS - BASELINE) * gradients.mean(0), rtol=1e-3, atol=1e-6)
    assert found.is_complete
    np.testing.assert_allclose(found.values.sum(), found.output - found.baseline_output, rtol=0.01)


def test_attributions_that_miss_the_difference_say_so():
    # The derivative of a step is zero wherever it exists.
    found = integrated_gradients(lambda x: tf.reduce_sum(0 * x + tf.sign(x), (1, 2)), INPUTS, -INPUTS)
    assert not found.is_complete
    assert found.gap > 0.9
