import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tl_keras as tl
from tests.transfer.tiny_models import blocks_model, nested_model, same_bits, values
from tl_keras.errors import InputError
from tl_keras.transfer import batch_norm
from tl_keras.transfer.batch_norm import recalibrate_batch_norm

RANDOM = np.random.default_rng(0)
ROWS = (RANDOM.normal(size=(50, 4)) * [1, 10, 0.1, 3] + [0, 100, -5, 2]).astype("float32")
IMAGES = RANDOM.normal(3, 2, (20, 6, 6, 1)).astype("float32")


def batched(array, size):
    return [array[start : start + size] for start in range(0, len(array), size)]


def norms_of(model):
    return [part for part in model._flatten_layers() if isinstance(part, layers.BatchNormalization)]


def statistics(model):
    return values([v for norm in norms_of(model) for v in (norm.moving_mean, norm.moving_variance)])


@keras.saving.register_keras_serializable("tests")
class Composite(layers.Layer):
    """Contains batch normalization, with dropout before it."""

    def build(self, input_shape):
        self.drop, self.norm = layers.Dropout(0.9, seed=0), layers.BatchNormalization()
        self.norm.build(input_shape)

    def call(self, inputs, training=False):
        return self.norm(self.drop(inputs, training=training), training=training)


def one_layer(**options):
    return keras.Sequential([layers.Input((4,)), layers.BatchNormalization(**options)])


@pytest.mark.parametrize("size", [50, 16, 7])
@pytest.mark.parametrize("options", [{}, {"momentum": 0.0, "trainable": False}, {"momentum": 1.0, "renorm": True}])
def test_the_statistics_equal_those_of_all_data(size, options):
    model = one_layer(**options)
    assert recalibrate_batch_norm(model, batched(ROWS, size)) == 1
    mean, variance = statistics(model)
    np.testing.assert_allclose(mean, ROWS.mean(0, "float64"), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(variance, ROWS.var(0, dtype="float64"), rtol=1e-5)


def test_a_mean_far_from_zero_causes_no_cancellation():
    model, rows = one_layer(), (ROWS + 3e4).astype("float32")
    recalibrate_batch_norm(model, batched(rows, 16))
    np.testing.assert_allclose(statistics(model)[1], rows.var(0, dtype="float64"), rtol=1e-4)


def test_masked_positions_do_not_count():
    rows = RANDOM.normal(size=(6, 5, 4)).astype("float32")
    rows[0, 1:] = rows[3, 2:] = rows[4] = 0
    model = keras.Sequential([layers.Input((None, 4)), layers.Masking(), layers.BatchNormalization()])
    recalibrate_batch_norm(model, [rows[:4, :3], rows[4:5], rows[4:]])
    seen = np.concatenate([rows[:4, :3].reshape(-1, 4), rows[5]])
    seen = seen[seen.any(1)]
    mean, variance = statistics(model)
    np.testing.assert_allclose(mean, seen.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variance, seen.var(0), rtol=1e-5)


def test_a_layer_that_is_used_twice_counts_both_uses():
    norm = layers.BatchNormalization()
    first, second = layers.Input((4,)), layers.Input((4,))
    model = keras.Model([first, second], layers.Add()([norm(first), norm(second)]))
    recalibrate_batch_norm(model, [((ROWS[:20], ROWS[20:40]), None), ((ROWS[40:45], ROWS[45:]), None)])
    np.testing.assert_allclose(statistics(model)[1], ROWS.var(0, dtype="float64"), rtol=1e-5)


def test_channels_first_works():
    model = keras.Sequential([layers.Input((2, 5)), layers.BatchNormalization(axis=1)])
    rows = RANDOM.normal(size=(9, 2, 5)).astype("float32")
    recalibrate_batch_norm(model, batched(rows, 4))
    np.testing.assert_allclose(statistics(model)[1], rows.var((0, 2)), rtol=1e-5)


def test_deeper_layers_get_normalized_batches():
    model = keras.Sequential([layers.Input((4,)), layers.BatchNormalization(epsilon=1e-3)])
    model.add(layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(seed=1)))
    model.add(layers.BatchNormalization())
    recalibrate_batch_norm(model, batched(ROWS, 25))
    kernel = model.layers[1].kernel.numpy()
    parts = [((part - part.mean(0)) / np.sqrt(part.var(0) + 1e-3)) @ kernel for part in batched(ROWS, 25)]
    np.testing.assert_allclose(statistics(model)[3], np.concatenate(parts).var(0), rtol=1e-4)


@pytest.mark.parametrize("trainable", [True, False])
def test_shifted_images_are_normalized_again_and_no_weight_changes(trainable):
    model = blocks_model()
    model.trainable = trainable
    inner = keras.Model(model.input, model.get_layer("block1.norm").output)
    recalibrate_batch_norm(model, batched(IMAGES, 10))
    others = [v for v in model.variables if "moving" not in v.path]
    before, old = values(others), statistics(model)
    shifted = 5 * IMAGES + 40
    assert abs(np.asarray(inner(shifted)).mean()) > 1
    recalibrate_batch_norm(model, batched(shifted, 10))
    outputs = np.asarray(inner(shifted))
    np.testing.assert_allclose(outputs.mean((0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(outputs.var((0, 1, 2)), 1, atol=1e-2)
    assert all(map(same_bits, values(others), before))
    assert not any(map(same_bits, statistics(model)[:2], old[:2]))
    # The first layer normalizes by its batch, so the shift does not reach later layers.
    np.testing.assert_allclose(statistics(model)[2], old[2], atol=1e-2)


def test_only_the_given_layers_are_recalibrated():
    model = blocks_model()
    first, *others = norms_of(model)
    before = values([v for norm in others for v in (norm.moving_mean, norm.moving_variance)])
    assert recalibrate_batch_norm(model, batched(5 * IMAGES + 40, 10), norms=[first]) == 1
    assert abs(first.moving_mean.numpy()).max() > 1
    assert all(map(same_bits, values([v for norm in others for v in (norm.moving_mean, norm.moving_variance)]), before))


def test_the_order_of_the_batches_affects_rounding_only():
    results, parts = [], batched(IMAGES, 4)
    for batches in (parts, parts[::-1]):
        model = blocks_model()
        recalibrate_batch_norm(model, batches)
        results.append(np.concatenate(statistics(model)))
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


def test_dropout_is_off_and_inner_layers_are_found():
    inputs = layers.Input((4,))
    inner = keras.Sequential([Composite()])
    model = keras.Model(inputs, inner(inputs))
    seeds = values([v for v in model.variables if "seed" in v.path])
    recalibrate_batch_norm(model, batched(ROWS, 10))
    np.testing.assert_allclose(statistics(model)[0], ROWS.mean(0, "float64"), rtol=1e-5, atol=1e-6)
    assert seeds
    assert all(map(same_bits, values([v for v in model.variables if "seed" in v.path]), seeds))


def test_statistics_that_are_not_finite_are_repaired():
    model = blocks_model()
    norms_of(model)[0].moving_variance.assign(np.full(4, np.nan))
    recalibrate_batch_norm(model, [IMAGES])
    assert np.isfinite(np.concatenate(statistics(model))).all()


def test_training_afterwards_updates_the_statistics_as_before():
    model = nested_model()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    recalibrate_batch_norm(model, batched(IMAGES, 10))
    before = statistics(model)
    model.fit(IMAGES, np.zeros(20), batch_size=10, verbose=0)
    expected = before[0] * 0.99**2
    batch_share = statistics(model)[0] - expected
    assert (np.abs(batch_share) < 0.03 * np.abs(before[0]) + 0.03).all()
    assert not same_bits(statistics(model)[0], before[0])


class ImageBatches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return IMAGES[10 * index : 10 * index + 10], np.zeros(10)


@pytest.mark.parametrize(
    ("batches", "steps"),
    [
        (lambda: tf.data.Dataset.from_tensor_slices(IMAGES).batch(10), None),
        (lambda: tf.data.Dataset.from_tensor_slices((IMAGES, np.zeros(20))).batch(10).repeat(), 2),
        (lambda: ((part, None, None) for part in batched(IMAGES, 10)), None),
        (lambda: ImageBatches(), None),
    ],
)
def test_batches_may_come_from_datasets_and_iterables(batches, steps):
    model, expected = blocks_model(), blocks_model()
    recalibrate_batch_norm(expected, batched(IMAGES, 10))
    recalibrate_batch_norm(model, batches(), steps)
    np.testing.assert_allclose(np.concatenate(statistics(model)), np.concatenate(statistics(expected)), rtol=1e-5)


def test_mixed_precision_estimates_in_float32():
    model = keras.Sequential([layers.Input((4,)), layers.BatchNormalization(dtype="mixed_bfloat16")])
    recalibrate_batch_norm(model, batched(ROWS, 10))
    rounded = np.asarray(tf.cast(tf.cast(ROWS, "bfloat16"), "float32"))
    np.testing.assert_allclose(statistics(model)[1], rounded.var(0, dtype="float64"), rtol=1e-5)


def fails():
    yield IMAGES[:10]
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("batches", "steps", "error"),
    [
        (lambda: [], None, "got no batch"),
        (lambda: [np.full_like(IMAGES, np.nan)], None, "'block1.norm' would not be finite"),
        (lambda: tf.data.Dataset.from_tensor_slices(IMAGES).batch(10).repeat(), None, "repeats infinitely"),
        (lambda: [IMAGES], 0, "steps is 0"),
        (fails, None, None),
    ],
)
def test_the_model_is_unchanged_after_an_error(batches, steps, error):
    model = blocks_model()
    before = values(model.variables)
    with pytest.raises(InputError if error else KeyboardInterrupt, match=error):
        recalibrate_batch_norm(model, batches(), steps)
    assert all(map(same_bits, values(model.variables), before))
    model(IMAGES, training=False)
    assert all(map(same_bits, values(model.variables), before))


def test_a_model_without_batch_normalization_is_refused():
    with pytest.raises(InputError, match="no BatchNormalization layer to recalibrate"):
        recalibrate_batch_norm(keras.Sequential([layers.Input((4,)), layers.Dense(2)]), [ROWS])


@pytest.mark.parametrize(("backbone", "count"), [("efficientnet_lite0", 49), ("resnet50", 53), ("inception_v3", 94)])
@pytest.mark.slow
def test_every_layer_of_real_networks_is_recalibrated(backbone, count, monkeypatch):
    model = tl.build_image_classifier(backbone, num_classes=2, weights=None, image_size=80)
    images = RANDOM.uniform(0, 255, (16, 80, 80, 3)).astype("float32")
    traces = []
    moments = batch_norm._moments
    monkeypatch.setattr(batch_norm, "_moments", lambda *parts: traces.append(1) or moments(*parts))
    assert recalibrate_batch_norm(model, batched(images, 16)) == count == len(traces)
    outputs = keras.Model(model.input, [layer.output for layer in norms_of(model)])(images, training=False)
    for output, norm in zip(outputs, norms_of(model), strict=True):
        expected = norm.moving_variance / (norm.moving_variance + norm.epsilon)
        np.testing.assert_allclose(np.asarray(output).var((0, 1, 2)), expected, atol=0.05)
