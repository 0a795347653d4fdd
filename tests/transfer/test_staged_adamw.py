import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.python.framework.ops import gradient_registry

from tests.transfer.tiny_models import same_bits
from tl_keras.transfer.staged_adamw import StagedAdamW

RATE, DECAY = 1e-2, 0.1


def variables(*shapes, names=None):
    random = np.random.default_rng(0)
    names = names or [f"v{number}" for number in range(len(shapes))]
    return [
        keras.Variable(random.normal(size=shape).astype("float32"), name=name)
        for shape, name in zip(shapes, names, strict=True)
    ]


def gradients(count, *shapes):
    random = np.random.default_rng(1)
    return [[random.normal(size=shape).astype("float32") for shape in shapes] for _ in range(count)]


def numpy_adamw(start, steps, rate, decay, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Computes AdamW in float64: Loshchilov and Hutter 2019, algorithm 2, with epsilon as in Keras."""
    x, momentum, velocity = start.astype("float64"), 0.0, 0.0
    for step, gradient in enumerate(steps, start=1):
        momentum = beta_1 * momentum + (1 - beta_1) * gradient
        velocity = beta_2 * velocity + (1 - beta_2) * gradient**2
        corrected_rate = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        x = x - corrected_rate * momentum / (np.sqrt(velocity) + epsilon) - rate * decay * x
        yield x


def test_it_is_adamw_with_decay_on_kernels_only():
    shapes = (3, 2), (2,)
    kernel, bias = ours = variables(*shapes)
    theirs = variables(*shapes)
    steps = gradients(20, *shapes)
    expected_kernel = numpy_adamw(kernel.numpy(), [step[0] for step in steps], RATE, DECAY)
    expected_bias = numpy_adamw(bias.numpy(), [step[1] for step in steps], RATE, 0.0)
    optimizer = StagedAdamW(RATE, weight_decay=DECAY)
    reference = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
    reference.exclude_from_weight_decay(var_list=[theirs[1]])
    for step in steps:
        optimizer.apply(step, ours)
        reference.apply(step, theirs)
        np.testing.assert_allclose(kernel.numpy(), next(expected_kernel), atol=1e-6)
        np.testing.assert_allclose(bias.numpy(), next(expected_bias), atol=1e-6)
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=1e-6)


def test_weight_decay_excludes_biases_of_any_shape_and_variables_named_by_the_user():
    ours = variables((2, 2), (2,), (2, 2), (2, 2), names=["kernel", "gamma", "bias", "position"])
    before = [variable.numpy().copy() for variable in ours]
    optimizer = StagedAdamW(RATE, weight_decay=DECAY)
    optimizer.exclude_from_weight_decay(var_names=["position"])
    optimizer.apply([np.zeros(variable.shape, "float32") for variable in ours], ours)
    np.testing.assert_allclose(ours[0].numpy(), before[0] * (1 - RATE * DECAY), rtol=1e-6)
    for variable, old in zip(ours[1:], before[1:], strict=True):
        assert same_bits(variable.numpy(), old)


def test_multipliers_scale_the_update_and_the_decay():
    ours = variables((2, 2), (2, 2), (2, 2))
    before = [variable.numpy().copy() for variable in ours]
    optimizer = StagedAdamW(1e-3, weight_decay=DECAY)
    optimizer.build(ours)
    optimizer.start_variables([1.0, 0.1, 0.0])
    optimizer.apply([np.full((2, 2), 5.0, "float32")] * 3, ours)
    for variable, old, share in zip(ours, before, (1.0, 0.1, 0.0), strict=True):
        moved = old - variable.numpy()
        np.testing.assert_allclose(moved, 1e-3 * share * (1 + DECAY * old), rtol=1e-2, atol=1e-9)
    assert same_bits(ours[2].numpy(), before[2])


def first_late_updates(optimizer, count=20):
    """Trains one variable for 1000 steps, then also a second one, and measures the updates of the second."""
    early, late = both = variables((2,), (2,))
    optimizer.build(both)
    staged = isinstance(optimizer, StagedAdamW)
    if staged:
        optimizer.start_variables([1.0, 0.0])
    optimizer.iterations.assign(1000)
    if staged:
        optimizer.start_variables([1.0, 1.0])
    sizes = []
    for _ in range(count):
        before = late.numpy().copy()
        optimizer.apply([np.ones(2, "float32")] * 2, both)
        sizes.append(np.abs(late.numpy() - before).max() / RATE)
    return np.array(sizes)


def test_first_updates_of_a_late_variable_do_not_exceed_the_rate():
    assert first_late_updates(StagedAdamW(RATE, weight_decay=0.0)).max() < 1.01


def test_plain_adam_would_overshoot():
    assert first_late_updates(keras.optimizers.Adam(RATE)).min() > 2.5


def test_a_variable_starts_once():
    optimizer = StagedAdamW(RATE)
    optimizer.build(variables((2,), (2,), (2,)))
    for iteration, multipliers in [(5, [1, 0, 0]), (9, [0, 1, 0]), (12, [1, 1, 0])]:
        optimizer.iterations.assign(iteration)
        optimizer.start_variables(multipliers)
    assert optimizer._start_steps.numpy().tolist() == [5, 9, -1]


def test_moving_averages_are_written_to_their_own_variables():
    shapes = (2,), (3,), (4,)
    first, trained, last = ours = variables(*shapes)
    frozen = [first.numpy().copy(), last.numpy().copy()]
    optimizer = StagedAdamW(RATE, use_ema=True, ema_momentum=0.5)
    optimizer.build(ours)
    optimizer.start_variables([0.0, 1.0, 0.0])
    average = None
    for (gradient,) in gradients(4, (3,)):
        optimizer.apply([gradient], [trained])
        average = trained.numpy() if average is None else 0.5 * average + 0.5 * trained.numpy()
    optimizer.finalize_variable_values([trained])
    np.testing.assert_allclose(trained.numpy(), average, rtol=1e-6)
    assert same_bits(first.numpy(), frozen[0])
    assert same_bits(last.numpy(), frozen[1])


def test_moving_averages_never_change_a_frozen_variable():
    trained, frozen = ours = variables((2,), (64,))
    before = frozen.numpy().copy()
    optimizer = StagedAdamW(RATE, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=1)
    optimizer.build(ours)
    optimizer.start_variables([1.0, 0.0])
    for (gradient,) in gradients(10, (2,)):
        optimizer.apply([gradient], [trained])
    assert same_bits(frozen.numpy(), before)


def test_accumulated_gradients_count_as_one_step():
    (ours,), (whole,) = variables((2, 2)), variables((2, 2))
    accumulating = StagedAdamW(RATE, gradient_accumulation_steps=2)
    accumulating.build([ours])
    plain = StagedAdamW(RATE)
    for (first,), (second,) in zip(gradients(6, (2, 2)), gradients(6, (2, 2))[::-1], strict=True):
        accumulating.apply([first], [ours])
        accumulating.apply([second], [ours])
        plain.apply([(first + second) / 2], [whole])
        np.testing.assert_allclose(ours.numpy(), whole.numpy(), atol=1e-6)


def test_gradients_are_clipped_before_the_moments():
    (ours,) = variables((2,))
    optimizer = StagedAdamW(RATE, global_clipnorm=1.0)
    optimizer.apply([np.array([30.0, 40.0], "float32")], [ours])
    np.testing.assert_allclose(optimizer._momentums[0].numpy(), [0.06, 0.08], rtol=1e-5)


class Dense(keras.optimizers.AdamW):
    """Sums sparse gradients before Keras's AdamW; Keras 3.15.1 squares those of a repeated token one by one."""

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(tf.convert_to_tensor(gradient), variable, learning_rate)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_plain_fit_equals_adamw_with_the_gradients_of_repeated_tokens_summed(jit_compile):
    histories = []
    for optimizer in (StagedAdamW(RATE, weight_decay=0.0), Dense(RATE, weight_decay=0.0)):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([layers.Input((3,)), layers.Embedding(6, 4), layers.Flatten(), layers.Dense(1)])
        model.compile(optimizer, "mse", jit_compile=jit_compile)
        # Every batch has every token twice: rows without a gradient would not change.
        x = np.random.default_rng(0).permuted(np.tile(np.arange(6), (4, 2)), axis=1).reshape(16, 3)
        histories.append(model.fit(x, x.sum(1), batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)
    assert histories[0][-1] < histories[0][0]


def sparse_gradient(rows, values, shape=(5, 2)):
    """Builds the sparse gradient of an embedding."""
    return tf.IndexedSlices(tf.constant(values, "float32"), tf.constant(rows), tf.constant(shape))


def test_sparse_updates_equal_adamw_if_every_row_has_a_gradient():
    (table,), (dense,) = variables((3, 2)), variables((3, 2))
    optimizer, reference = (StagedAdamW(RATE, weight_decay=DECAY) for _ in range(2))
    for (values,) in gradients(20, (4, 2)):
        gradient = sparse_gradient([2, 0, 1, 0], values, (3, 2))
        optimizer.apply([gradient], [table])
        reference.apply([tf.convert_to_tensor(gradient)], [dense])
        np.testing.assert_allclose(table.numpy(), dense.numpy(), atol=1e-6)
        for mine, other in zip(optimizer.variables, reference.variables, strict=True):
            np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=1e-6)


def test_rows_without_a_gradient_do_not_change():
    (table,) = variables((5, 2))
    optimizer = StagedAdamW(RATE, weight_decay=DECAY)
    optimizer.apply([sparse_gradient([1, 3], np.ones((2, 2)))], [table])
    before = table.numpy().copy()
    optimizer.apply([sparse_gradient([3], np.ones((1, 2)))], [table])
    assert (table.numpy() != before).all(axis=1).tolist() == [False, False, False, True, False]


def test_sparse_updates_use_the_multiplier_and_start_step_of_their_table():
    tables = variables((4, 2), (4, 2), (4, 2))
    optimizer = StagedAdamW(RATE, weight_decay=0.0)
    optimizer.build(tables)
    optimizer.start_variables([1.0, 0.0, 0.0])
    optimizer.iterations.assign(1000)
    optimizer.start_variables([1.0, 0.1, 0.0])
    before = [table.numpy().copy() for table in tables]
    optimizer.apply([sparse_gradient([2], [[5.0, -5.0]])] * 3, tables)
    moved = [table.numpy()[2] - old[2] for table, old in zip(tables, before, strict=True)]
    np.testing.assert_allclose(moved[1], [-0.1 * RATE, 0.1 * RATE], rtol=1e-4)
    assert same_bits(tables[2].numpy(), before[2])


def test_amsgrad_is_refused():
    with pytest.raises(ValueError, match="no AMSGrad variant"):
        StagedAdamW(amsgrad=True).build(variables((2,)))


def test_it_can_be_saved_and_loaded():
    optimizer = StagedAdamW(RATE, weight_decay=0.5, use_ema=True)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert isinstance(copy, StagedAdamW)
    assert copy.get_config() == optimizer.get_config()


def test_a_late_variable_counts_its_own_steps_with_gradient_accumulation():
    early, late = variables((2, 2), (2, 2))
    optimizer = StagedAdamW(RATE, weight_decay=0.0, gradient_accumulation_steps=2)
    optimizer.build([early, late])
    optimizer.start_variables(np.array([1.0, 0.0], "float32"))
    zero, step = np.zeros((2, 2), "float32"), np.ones((2, 2), "float32")
    for _ in range(6):
        optimizer.apply([step, zero], [early, late])
    optimizer.start_variables(np.array([1.0, 1.0], "float32"))
    before = late.numpy().copy()
    for _ in range(2):
        optimizer.apply([step, step], [early, late])
    # The first step of Adam moves every weight by its rate, regardless of the gradient.
    np.testing.assert_allclose(before - late.numpy(), RATE, rtol=1e-4)


def test_a_traced_step_leaves_no_registered_gradient():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    before = set(gradient_registry.list())
    model.compile(StagedAdamW(), "mse")
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0)
    assert set(gradient_registry.list()) == before
