import keras
import numpy as np
import pytest
import tensorflow as tf

import tl_keras as tl
from tests.cheap_weights import cheap_weights
from tl_keras.transfer.activations.batch_norm_folding import fold_batch_norm, precompute_batch_norm


@pytest.fixture(scope="module", autouse=True)
def fast_building():
    with cheap_weights():
        yield


def randomized(model):
    """Sets all weights of batch normalization to random values."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    return model


def norms(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.mark.parametrize(
    ("backbone", "head_blocks"), [("efficientnet_lite0", "last"), ("inception_v3", ["mixed4"]), ("resnet50", ["conv3"])]
)
def test_the_folded_model_gives_the_same_outputs(backbone, head_blocks):
    size = 75 if backbone == "inception_v3" else 32
    with cheap_weights():
        whole = tl.build_image_classifier(backbone, 3, weights=None, image_size=size, head_blocks=head_blocks)
    randomized(whole)
    model = keras.Model(whole.input, whole.get_layer("head.dropout").input)
    before = [weight.numpy() for weight in model.weights]
    folded = fold_batch_norm(model)
    assert not norms(folded)
    images = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
    expected = np.array(model(images, training=False))
    np.testing.assert_allclose(folded(images, training=False), expected, atol=1e-4 * np.abs(expected).max())
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_a_convolution_with_other_consumers_is_not_folded():
    inputs = keras.Input((4, 4, 2))
    hidden = keras.layers.Conv2D(3, 1, name="read_twice")(inputs)
    activated = keras.layers.Conv2D(3, 1, activation="relu", name="activated")(inputs)
    outputs = [hidden, keras.layers.BatchNormalization()(hidden), keras.layers.BatchNormalization()(activated)]
    assert len(norms(fold_batch_norm(keras.Model(inputs, outputs)))) == 2


def convolution_of_two_normalizations():
    inputs, shared = keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="shared")
    outputs = [shared(inputs), shared(keras.layers.ReLU()(inputs))]
    return keras.Model(inputs, [keras.layers.BatchNormalization()(output) for output in outputs])


def convolution_used_once_without_normalization():
    inputs, shared = keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="shared")
    return keras.Model(inputs, [keras.layers.BatchNormalization()(shared(inputs)), shared(keras.layers.ReLU()(inputs))])


def normalization_of_rows():
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, keras.layers.BatchNormalization(axis=1)(keras.layers.Conv2D(8, 1)(inputs)))


@pytest.mark.parametrize(
    "build",
    [convolution_of_two_normalizations, convolution_used_once_without_normalization, normalization_of_rows],
)
def test_unsupported_layers_are_not_folded(build):
    model, images = randomized(build()), np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    folded = fold_batch_norm(model)
    for output, expected in zip(graph_outputs(folded, images), graph_outputs(model, images), strict=True):
        np.testing.assert_allclose(output, expected, atol=1e-5)


def graph_outputs(model, images):
    outputs = tf.function(lambda inputs: model(inputs, training=False))(images)
    return [np.array(output) for output in keras.tree.flatten(outputs)]


def every_kind_of_norm():
    x = inputs = keras.Input((8, 8, 3))
    for number, kind in enumerate([{}, {"scale": False}, {"center": False}, {"scale": False, "center": False}]):
        x = keras.layers.Conv2D(4, 3, padding="same", name=f"conv{number}")(x)
        x = keras.layers.BatchNormalization(name=f"norm{number}", **kind)(x)
    other_axis = keras.layers.BatchNormalization(axis=1, name="rows")
    return keras.Model(inputs, [x, other_axis(x)])


def lite0():
    with cheap_weights():
        whole = tl.build_image_classifier("efficientnet_lite0", 3, weights=None, image_size=32)
    return keras.Model(whole.input, [whole.get_layer(name).output for name in ("block6.d_add", "head.pool")])


def residual():
    """Builds sums of normalized features, which TensorFlow reorders, also after dropout."""
    x = inputs = keras.Input((8, 8, 4))
    for number in range(3):
        branch = keras.layers.Conv2D(4, 3, padding="same", name=f"conv{number}")(x)
        branch = keras.layers.BatchNormalization(name=f"norm{number}")(branch)
        x = keras.layers.Add()([x, keras.layers.Dropout(0.1)(branch) if number else branch])
    return keras.Model(inputs, keras.layers.BatchNormalization(name="last")(x))


@pytest.mark.parametrize(
    ("build", "remaining"),
    [(every_kind_of_norm, 1), (residual, 3), (lite0, 14)],
    ids=["every kind", "residual", "lite0"],
)
def test_the_precomputed_model_is_bit_identical(build, remaining):
    model = randomized(build())
    precomputed = precompute_batch_norm(model)
    assert len(norms(precomputed)) == remaining
    images = np.random.default_rng(0).uniform(0, 255, (3, *model.input.shape[1:])).astype("float32")
    for one, other in zip(graph_outputs(precomputed, images), graph_outputs(model, images), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_without_batch_norm_is_returned_unchanged():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert precompute_batch_norm(model) is model
