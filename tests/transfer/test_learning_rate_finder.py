import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.transfer.tiny_models import same_bits, sequential_model, values
from tl_keras.errors import InputError
from tl_keras.transfer import learning_rate_finder
from tl_keras.transfer.freezing import freeze_to
from tl_keras.transfer.learning_rate_finder import find_learning_rate
from tl_keras.transfer.staged_adamw import StagedAdamW

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
Y = X[:, :3].argmax(1)
SWEEP = {"batch_size": 16, "steps": 12}


@keras.saving.register_keras_serializable("tests")
class DrawsEverywhere(layers.Layer):
    """Draws from the global generators of TensorFlow and Keras."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        noise = tf.random.normal(tf.shape(inputs)) + keras.random.normal(keras.ops.shape(inputs))
        noise += tf.random.get_global_generator().normal(tf.shape(inputs))
        return inputs + keras.ops.cast(0.1 * noise, inputs.dtype)


def noisy_model(optimizer, **options):
    keras.utils.set_random_seed(3)
    parts = [layers.Input((6,)), layers.Dense(8, "relu", name="hidden"), layers.BatchNormalization(name="norm")]
    parts += [layers.Dropout(0.5), DrawsEverywhere(), layers.Dense(3, name="logits")]
    model = keras.Sequential(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


def everything(model):
    return values([*model.variables, *model.optimizer.variables, *model.metrics_variables])


def all_same(first, second):
    return len(first) == len(second) and all(map(same_bits, first, second))


def random_numbers():
    return [random.random(), np.random.random(), float(tf.random.uniform(())), float(keras.random.uniform(()))] + [
        float(tf.random.get_global_generator().uniform(()))
    ]


OPTIMIZERS = {
    "staged": lambda: StagedAdamW(1e-2),
    "scaled, averaged, accumulating": lambda: keras.optimizers.LossScaleOptimizer(
        StagedAdamW(1e-2, use_ema=True, ema_overwrite_frequency=2, gradient_accumulation_steps=2),
        dynamic_growth_steps=3,
    ),
    "scheduled": lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, 50)),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_sweep_in_the_middle_of_training_leaves_no_trace(optimizer):
    ends = []
    for sweeps in (False, True):
        tf.random.get_global_generator().reset_from_seed(1)
        model = noisy_model(optimizer())
        keras.random.uniform(())  # Keras's global generator exists from here on
        model.fit(X, Y, batch_size=16, epochs=1, verbose=0)
        before, compiled, function = everything(model), model.optimizer, model.train_function
        if sweeps:
            curve = find_learning_rate(model, X, Y, **SWEEP)
            assert len(set(curve.losses)) == len(curve.rates) > 10
            assert all_same(everything(model), before)
            assert model.optimizer is compiled
            assert model.train_function is function
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        ends.append((everything(model), random_numbers()))
    assert all_same(ends[0][0], ends[1][0])
    assert ends[0][1] == ends[1][1]


def test_a_first_fit_is_the_same_with_and_without_a_sweep():
    ends = []
    for sweeps in (False, True):
        tf.random.get_global_generator().reset_from_seed(1)
        model = noisy_model(StagedAdamW(1e-2))
        if sweeps:
            find_learning_rate(model, X, Y, **SWEEP)
            assert not model.optimizer.built
            assert not hasattr(model, "history")
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        ends.append(everything(model))
    assert all_same(*ends)


def test_blocks_may_be_unfrozen_between_the_sweep_and_the_first_fit():
    model = noisy_model(StagedAdamW(1e-2))
    freeze_to(model, "head")
    find_learning_rate(model, X, Y, **SWEEP)
    freeze_to(model, "all")
    before = values(model.get_layer("hidden").weights)
    model.fit(X, Y, verbose=0)
    assert not all_same(values(model.get_layer("hidden").weights), before)


def test_data_drawn_from_the_global_states_is_the_same_with_and_without_a_sweep():
    class Noisy(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            noise = random.random() + np.random.random() + float(tf.random.uniform(()))
            return X[16 * index : 16 * index + 16] + noise, Y[16 * index : 16 * index + 16]

    drawn = []
    for sweeps in (False, True):
        model = noisy_model("sgd")
        if sweeps:
            assert len(find_learning_rate(model, Noisy(), steps=12).rates) == 12
        drawn.append([random.random(), np.random.random()] + [float(tf.random.uniform(())) for _ in range(60)])
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.usefixtures("eager")
def test_state_is_restored_after_an_interrupted_sweep(error, monkeypatch):
    model = noisy_model(StagedAdamW(1e-2), steps_per_execution=2)
    model.fit(X, Y, verbose=0)
    before, states = everything(model), (random.getstate(), np.random.get_state()[1].tolist())
    compiled, function, history = model.optimizer, model.train_function, model.history

    def interrupt(logs):
        raise error

    monkeypatch.setattr(learning_rate_finder, "_loss_of", interrupt)
    with pytest.raises(error):
        find_learning_rate(model, X, Y, **SWEEP)
    assert all_same(everything(model), before)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    assert (model.optimizer, model.train_function, model.history) == (compiled, function, history)
    assert model.steps_per_execution == 2


def linear_model(optimizer):
    model = keras.Sequential([layers.Input((1,)), layers.Dense(1, "linear", False, "zeros")])
    model.compile(optimizer, "mse")
    return model


def test_the_curve_equals_gradient_descent_at_rising_rates():
    model = linear_model(keras.optimizers.SGD(0.5))
    curve = find_learning_rate(model, np.ones((8, 1)), np.ones(8), lowest=1e-3, highest=0.3, steps=12, batch_size=8)
    weight, losses = 0.0, []
    for rate in np.geomspace(1e-3, 0.3, 12):
        losses.append((weight - 1) ** 2)
        weight -= rate * 2 * (weight - 1)
    np.testing.assert_allclose(curve.losses, losses, rtol=1e-4)
    np.testing.assert_allclose(curve.rates, np.geomspace(1e-3, 0.3, 12))
    shares = (1 - 1 / 2.4) ** np.arange(12)[::-1]  # a fifth of 12 steps is 2.4
    np.testing.assert_allclose(curve.smoothed[-1], np.average(losses, weights=shares), rtol=1e-4)
    assert curve.remark == "The loss was still falling at 0.3: give a higher `highest`." and curve.still_falling


def test_each_rate_is_used_for_all_batches_of_an_accumulated_step():
    x, y = np.ones((32, 1)), np.arange(32.0)
    curves = [
        find_learning_rate(linear_model(optimizer), tf.data.Dataset.from_tensor_slices((x, y)).batch(size), steps=10)
        for optimizer, size in [
            (keras.optimizers.SGD(), 16),
            (keras.optimizers.SGD(gradient_accumulation_steps=2), 8),
        ]
    ]
    np.testing.assert_allclose(curves[0].losses, curves[1].losses, rtol=1e-5)
    assert len(curves[1].rates) == len(curves[0].rates)


@pytest.mark.usefixtures("eager")
def test_rate_multipliers_apply_in_the_sweep():
    optimizer = StagedAdamW(1e-2, weight_decay=0.0)
    model = noisy_model(optimizer)
    optimizer.build(model.trainable_variables)
    optimizer.start_variables([0.0 if "hidden" in v.path else 1.0 for v in model.trainable_variables])
    seen = {}

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen[batch] = values(self.model.trainable_variables)

    class WatchedModel(type(model)):
        def fit(self, *arguments, callbacks, **options):
            return super().fit(*arguments, callbacks=[*callbacks, Watch()], **options)

    model.__class__ = WatchedModel
    find_learning_rate(model, X, Y, **SWEEP)
    moved = [not same_bits(first, last) for first, last in zip(seen[0], seen[3], strict=True)]
    assert moved == ["hidden" not in v.path for v in model.trainable_variables]


def test_weight_decay_exclusions_apply_in_the_sweep():
    optimizer = StagedAdamW(1e-2, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["kernel"])
    model = linear_model(optimizer)
    model.layers[0].kernel.assign([[1.0]])
    curve = find_learning_rate(model, np.zeros((8, 1)), np.zeros(8), steps=10)
    assert not curve.losses.any()
    copy = learning_rate_finder._copy_of(optimizer, 1e-3, [])
    assert copy._exclude_from_weight_decay_pattern == optimizer._exclude_from_weight_decay_pattern


def test_the_sweep_ends_when_the_loss_is_four_times_its_minimum():
    curve = find_learning_rate(linear_model(keras.optimizers.SGD()), np.full((8, 1), 3.0), np.ones(8), highest=1e3)
    assert 60 < len(curve.rates) < 100
    assert np.isfinite(curve.losses).all()
    assert (curve.smoothed[:-1] <= 4 * np.minimum.accumulate(curve.smoothed)[:-1]).all()
    assert curve.smoothed[-1] > 4 * curve.smoothed.min()
    assert 1e-4 < curve.suggestion < 1 / 9  # gradient descent on (3w - 1)^2 diverges from there on
    assert curve.remark == ""


def test_a_loss_that_never_falls_gives_a_reason_instead_of_a_suggestion():
    random_labels = np.random.default_rng(1).normal(size=64)
    curve = find_learning_rate(linear_model(keras.optimizers.SGD()), np.zeros((64, 1)), random_labels, batch_size=8)
    assert curve.suggestion is None
    assert "never fell" in curve.remark


def test_a_sweep_that_starts_too_high_gives_a_reason():
    model = linear_model(keras.optimizers.SGD())
    curve = find_learning_rate(model, np.full((8, 1), 3.0), np.ones(8), lowest=10, highest=100)
    assert curve.suggestion is None
    assert curve.remark == "The loss diverged, or the data ended, before it could fall: start at a rate below 10."


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_works(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = noisy_model(StagedAdamW(1e-2))
    finally:
        keras.config.set_dtype_policy("float32")
    before = values(model.variables)
    assert np.isfinite(find_learning_rate(model, X, Y, **SWEEP).losses).all()
    assert all_same(values(model.variables), before)


def test_an_exhausted_generator_ends_the_sweep():
    batches = ((X[:16], Y[:16]) for _ in range(12))
    curve = find_learning_rate(noisy_model(StagedAdamW()), batches, steps=50)
    assert 12 <= len(curve.rates) <= 14


def test_an_infinite_dataset_works():
    data = tf.data.Dataset.from_tensor_slices((X, Y)).repeat().batch(16)
    assert len(find_learning_rate(noisy_model(StagedAdamW()), data, highest=1e-3, steps=15).rates) == 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0.0}, "from 0.0 to 1.0"),
        ({"lowest": 1.0}, "from 1.0 to 1.0"),
        ({"highest": float("inf")}, "to inf"),
        ({"highest": float("nan")}, "to nan"),
        ({"steps": 9}, "steps is 9"),
        ({"steps": 12.5}, "steps is 12.5"),
    ],
)
def test_invalid_rates_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        find_learning_rate(linear_model("sgd"), X[:, :1], Y, **options)


def test_models_that_cannot_train_are_refused():
    model = sequential_model()
    with pytest.raises(InputError, match="not compiled"):
        find_learning_rate(model, X, Y)
    model.trainable = False
    model.compile("sgd", "mse")
    with pytest.raises(InputError, match="frozen"):
        find_learning_rate(model, X, Y)
    unbuilt = keras.Sequential([layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    with pytest.raises(InputError, match="no weights yet"):
        find_learning_rate(unbuilt, X, Y)


def test_a_loss_that_is_not_finite_from_the_start_is_refused():
    with pytest.raises(InputError, match="loss is nan at the lowest"):
        find_learning_rate(linear_model("sgd"), np.full((8, 1), np.nan), np.ones(8))


def test_no_data_is_refused():
    empty = tf.data.Dataset.from_tensor_slices((X[:, :1], Y)).batch(8).take(0)
    with pytest.raises(InputError, match="no batch"):
        find_learning_rate(linear_model("sgd"), empty)
