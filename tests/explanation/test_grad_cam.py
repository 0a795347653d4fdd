import keras
import numpy as np
import pytest
from keras import layers

from tests.models.small_backbone import small_backbone
from tl_keras.errors import InputError
from tl_keras.explanation.grad_cam import find_feature_map, grad_cam
from tl_keras.models.images.classifiers import build_image_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype("uint8")
NUMBERS = np.array([0, 2, 1])


def classifier(monkeypatch, **options):
    keras.utils.set_random_seed(0)
    monkeypatch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
    return build_image_classifier("small", 3, weights=None, image_size=64, **options)


def test_the_map_is_that_of_equations_1_and_2(monkeypatch):
    model = classifier(monkeypatch, pooling="average")
    features = np.asarray(keras.Model(model.input, model.get_layer("top.relu").output)(IMAGES.astype("float32")))
    kernel = np.asarray(model.get_layer("head.logits").kernel)
    # The score is linear in the averages of the channels, so its gradient is the same at each of the Z positions.
    positions = features.shape[1] * features.shape[2]
    gradients = np.broadcast_to((kernel / positions).T[NUMBERS][:, None, None, :], features.shape)
    weights = gradients.sum((1, 2)) / positions
    expected = np.maximum((weights[:, None, None, :] * features).sum(-1), 0)
    assert expected.shape == (3, 4, 4) and expected.any()
    np.testing.assert_allclose(grad_cam(model, IMAGES, NUMBERS), expected, rtol=1e-4, atol=1e-9)


def test_gradients_through_a_hidden_layer_and_maxima_match_finite_differences(monkeypatch):
    model = classifier(monkeypatch, pooling="concat", hidden_units=8)
    head = keras.Function(model.get_layer("top.relu").output, model.get_layer("head.logits").output)
    features = np.asarray(keras.Model(model.input, model.get_layer("top.relu").output)(IMAGES[:1].astype("float32")))
    weights = np.zeros(features.shape[-1])
    for channel in range(features.shape[-1]):
        # A small change of the whole channel sums its gradient over all positions.
        moved = [features.copy(), features.copy()]
        for array, change in zip(moved, (1e-3, -1e-3), strict=True):
            array[..., channel] += change
        above, below = (float(head(array)[0, 2]) for array in moved)
        weights[channel] = (above - below) / 2e-3 / features[0, :, :, 0].size
    expected = np.maximum(features[0] @ weights, 0)
    np.testing.assert_allclose(grad_cam(model, IMAGES[:1], [2])[0], expected, rtol=0.02, atol=0.02 * expected.max())


def test_the_last_map_is_taken_where_the_head_reads_all_blocks(monkeypatch):
    model = classifier(monkeypatch, head_blocks="all", pooling="concat")
    assert find_feature_map(model) is model.get_layer("top.relu").output
    assert grad_cam(model, IMAGES, NUMBERS).shape == (3, 4, 4)


def test_a_network_without_a_feature_map_is_refused():
    inputs = keras.Input((8, 8, 3))
    outputs = layers.Dense(2, name="head.logits")(layers.Flatten(name="top.flat")(inputs))
    with pytest.raises(InputError, match="needs a convolutional feature map"):
        grad_cam(keras.Model(inputs, outputs), np.zeros((1, 8, 8, 3)), [0])
