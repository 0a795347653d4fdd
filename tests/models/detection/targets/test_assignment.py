import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize

from tl_keras.models.detection.targets.assignment import linear_sum_assignment


def problem(batch=6, rows=7, columns=9, seed=0, digits=None):
    generator = np.random.default_rng(seed)
    costs = generator.normal(0, 3, (batch, rows, columns)).astype("float32")
    is_row = generator.random((batch, rows)) < 0.7
    return costs if digits is None else np.round(costs, digits), is_row


def assert_optimal(assignment, costs, is_row):
    for columns, cost, real in zip(np.asarray(assignment), costs, is_row, strict=True):
        assert (columns[~real] == -1).all() and len(set(columns[real])) == real.sum()
        best = cost[real][optimize.linear_sum_assignment(cost[real])].sum()
        np.testing.assert_allclose(cost[real, columns[real]].sum(), best, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (7, 9), (12, 12)])
def test_total_cost_is_minimal(shape):
    costs, is_row = problem(5, *shape)
    assert_optimal(linear_sum_assignment(costs, is_row), costs, is_row)


def test_equal_costs_are_supported():
    costs, is_row = problem(digits=0)
    assert_optimal(linear_sum_assignment(costs, is_row), costs, is_row)


def test_problems_without_rows_are_supported():
    costs, is_row = problem()
    is_row[::2] = False
    assert_optimal(linear_sum_assignment(costs, is_row), costs, is_row)


def test_costs_that_are_not_finite_come_last():
    costs, is_row = problem(2, 3, 4)
    costs[0, :, 1], costs[1] = np.nan, np.nan
    columns = np.asarray(linear_sum_assignment(costs, is_row))
    assert 1 not in columns[0] and len(set(columns[1][is_row[1]])) == is_row[1].sum()


def test_it_compiles_under_xla_without_gradients():
    costs, is_row = problem(3, 4, 6)
    columns = tf.function(linear_sum_assignment, jit_compile=True)(costs, is_row)
    assert_optimal(columns, costs, is_row)
    variable = keras.Variable(costs)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.cast(linear_sum_assignment(variable * 1.0, is_row), "float32"))
    assert tape.gradient(total, variable.value) is None
