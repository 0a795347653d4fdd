import keras
import numpy as np
import pytest

import tl_keras as tl
from tl_keras.transfer.folding import fold_batch_norm


def shaken(model):
    """Gives the statistics and offsets of batch normalization values that differ from layer to layer."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    return model


def norms(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "inception_v3", "resnet50"])
def test_the_folded_model_gives_the_same(backbone):
    size = 75 if backbone == "inception_v3" else 32
    whole = shaken(tl.build_image_classifier(backbone, 3, weights=None, image_size=size))
    model = keras.Model(whole.input, whole.get_layer("head.pool").output)
    before = [weight.numpy() for weight in model.weights]
    folded = fold_batch_norm(model)
    assert not norms(folded)
    images = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
    expected = np.array(model(images, training=False))
    np.testing.assert_allclose(folded(images, training=False), expected, atol=1e-4 * np.abs(expected).max())
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_what_somebody_else_reads_is_not_folded():
    inputs = keras.Input((4, 4, 2))
    hidden = keras.layers.Conv2D(3, 1, name="read_twice")(inputs)
    activated = keras.layers.Conv2D(3, 1, activation="relu", name="activated")(inputs)
    outputs = [hidden, keras.layers.BatchNormalization()(hidden), keras.layers.BatchNormalization()(activated)]
    assert len(norms(fold_batch_norm(keras.Model(inputs, outputs)))) == 2
