import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from tests.models.tiny_encoders import FAMILIES, random_inputs
from tl_keras.models.texts.fused_layers import use_fused_layers
from tl_keras.models.texts.networks import named_text_network
from tl_keras.transfer.staged_adamw import StagedAdamW


def fused_layers(model):
    """Returns the names of the classes of fused layers."""
    return {type(layer).__name__ for layer in model._flatten_layers() if isinstance(layer.call, functools.partial)}


def fused_model(layer, shape=(None, 6)):
    """Builds a model of one fused layer."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    use_fused_layers(model)
    return model


def outputs_and_gradients(model, inputs):
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=False)
        loss = tf.reduce_sum(tf.square(outputs))
    return outputs, tape.gradient(loss, [weight.value for weight in model.trainable_weights])


def encoder(family):
    """Returns an encoder with the exact GELU, and inputs."""
    backbone, _ = FAMILIES[family]()
    model = named_text_network(backbone, pooled=False, settings={"activation": "gelu"}, copy_weights=True)
    for weight in model.trainable_weights:
        weight.assign(weight + np.random.default_rng(0).normal(0, 0.3, weight.shape))
    return model, random_inputs(backbone)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fused_encoder_computes_the_same_up_to_rounding_and_is_saved_with_plain_layers(family, tmp_path):
    model, inputs = encoder(family)
    outputs, gradients = outputs_and_gradients(model, inputs)
    use_fused_layers(model)
    assert fused_layers(model) >= {"LayerNormalization", "Dense"}
    fused_outputs, fused_gradients = outputs_and_gradients(model, inputs)
    np.testing.assert_allclose(fused_outputs, outputs, atol=1e-5)
    largest = max(float(tf.reduce_max(tf.abs(tf.convert_to_tensor(gradient)))) for gradient in gradients)
    for own, other in zip(fused_gradients, gradients, strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(own), tf.convert_to_tensor(other), atol=1e-5 * largest)
    model.save(tmp_path / "encoder.keras")
    opened = keras.saving.load_model(tmp_path / "encoder.keras")
    assert not fused_layers(opened)
    np.testing.assert_allclose(opened(inputs), fused_outputs, atol=1e-5)


def test_dropout_drops_its_rate_and_keeps_the_mean():
    model = fused_model(keras.layers.Dropout(0.3, seed=1))
    ones = np.ones((50, 40, 6), "float32")
    dropped = np.asarray(model(ones, training=True))
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-4)
    np.testing.assert_array_equal(model(ones, training=False), ones)


def test_dropout_continues_from_the_state_of_its_seed():
    one, other = (fused_model(keras.layers.Dropout(0.5, seed=1)) for _ in range(2))
    ones = np.ones((3, 5, 6), "float32")
    first, second = (np.asarray(one(ones, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(other(ones, training=True), first)
    np.testing.assert_array_equal(other(ones, training=True), second)


def test_the_gradient_of_dropout_is_its_mask():
    model = fused_model(keras.layers.Dropout(0.5, seed=1))
    ones = tf.ones((3, 5, 6))
    with tf.GradientTape() as tape:
        tape.watch(ones)
        outputs = model(ones, training=True)
    np.testing.assert_array_equal(tape.gradient(outputs, ones), outputs)


def test_an_embedding_gathers_rows_without_reading_the_table():
    model = fused_model(keras.layers.Embedding(9, 4), (None,))
    graph = tf.function(lambda numbers: model(numbers)).get_concrete_function(tf.TensorSpec((None, 3), "int32")).graph
    read = {operation.type for operation in graph.get_operations()}
    assert "ResourceGather" in read and "ReadVariableOp" not in read


def test_a_reversible_embedding_still_projects_back():
    layer = keras.layers.ReversibleEmbedding(9, 4)
    fused_model(layer, (None,))
    assert isinstance(layer.call, functools.partial)
    hidden = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    np.testing.assert_allclose(layer(hidden, reverse=True), hidden @ np.asarray(layer.embeddings).T, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.LayerNormalization(axis=1),
        keras.layers.LayerNormalization(center=False),
        keras.layers.LayerNormalization(scale=False),
        keras.layers.Dropout(0.0),
        keras.layers.Dropout(0.5, noise_shape=(None, 1, None)),
        keras.layers.Dense(3, activation="relu"),
        keras.layers.Dense(3, activation=lambda x: keras.activations.gelu(x, approximate=True)),
    ],
)
def test_other_layers_do_not_change(layer):
    assert not fused_layers(fused_model(layer, (5, 6)))


def test_normalization_computes_in_float32_under_mixed_precision():
    layer = keras.layers.LayerNormalization(dtype="mixed_bfloat16")
    inputs = 300 + np.random.default_rng(0).normal(size=(2, 3, 6))
    expected = layer(inputs)
    outputs = fused_model(layer)(inputs)
    assert outputs.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(outputs, "float32"), tf.cast(expected, "float32"), rtol=0.01, atol=1e-3)


def test_traced_functions_are_released():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "gelu"), keras.layers.LayerNormalization()])
    use_fused_layers(model)
    assert fused_layers(model) == {"Dense", "LayerNormalization"}
    before = set(gradient_registry.list())
    model.compile(StagedAdamW(), "mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 3)), verbose=0)
    assert set(gradient_registry.list()) == before
