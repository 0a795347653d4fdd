import importlib

import keras
import numpy as np
import pytest
from keras import layers

from tests.models.small_backbone import small_backbone
from tl_keras.errors import InputError
from tl_keras.explanation.class_maps import class_maps, find_features
from tl_keras.models.images.classifiers import build_image_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype("uint8")
NUMBERS = np.array([0, 2, 1])


def classifier(monkeypatch, **options):
    keras.utils.set_random_seed(0)
    monkeypatch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
    return build_image_classifier("small", 3, weights=None, image_size=64, **options)


def test_gradients_of_a_linear_head_are_its_kernel(monkeypatch):
    model = classifier(monkeypatch, pooling="average")
    features = np.asarray(keras.Model(model.input, model.get_layer("top.relu").output)(IMAGES.astype("float32")))
    kernel = np.asarray(model.get_layer("head.logits").kernel)
    # The score is linear in the averages of the channels, so its gradient is the same at each of the Z positions.
    positions = features.shape[1] * features.shape[2]
    gradients = np.broadcast_to((kernel / positions).T[NUMBERS][:, None, None, :], features.shape)
    weights = gradients.sum((1, 2)) / positions
    expected = np.maximum((weights[:, None, None, :] * features).sum(-1), 0)
    assert expected.shape == (3, 4, 4) and expected.any()
    maps, method = class_maps(model, IMAGES, NUMBERS)
    assert method == "Grad-CAM"
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-9)


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
    np.testing.assert_allclose(
        class_maps(model, IMAGES[:1], [2])[0][0], expected, rtol=0.02, atol=0.02 * expected.max()
    )


def test_the_last_map_is_taken_where_the_head_reads_all_blocks(monkeypatch):
    model = classifier(monkeypatch, head_blocks="all", pooling="concat")
    assert find_features(model) is model.get_layer("top.relu").output
    assert class_maps(model, IMAGES, NUMBERS)[0].shape == (3, 4, 4)


def token_classifier(tokens):
    """Builds a network of one token for each of 4 x 4 patches, shortened or extended to a number of tokens."""
    inputs = keras.Input((64, 64, 3))
    patches = layers.Conv2D(6, 16, 16, activation="relu", name="body.patches")(inputs)
    flat = layers.Reshape((16, 6), name="body.tokens")(patches)
    extra = tokens - 16
    flat = layers.ZeroPadding1D((extra, 0), name="body.pad")(flat) if extra > 0 else flat
    flat = layers.Cropping1D((-extra, 0), name="body.crop")(flat) if extra < 0 else flat
    pooled = layers.GlobalAveragePooling1D(name="head.pool")(layers.Identity(name="body.last")(flat))
    return keras.Model(inputs, layers.Dense(3, name="head.logits")(pooled), name="vit")


def test_shares_of_patches_add_up_to_the_score():
    keras.utils.set_random_seed(1)
    model = token_classifier(17)
    # With positive weights no share is cut off at zero.
    model.get_layer("head.logits").set_weights([np.full((6, 3), 0.5), np.arange(3.0)])
    maps, method = class_maps(model, IMAGES, NUMBERS)
    scores = np.asarray(model(IMAGES.astype("float32")))[np.arange(3), NUMBERS]
    assert maps.shape == (3, 4, 4) and method == "gradient times activation"
    np.testing.assert_allclose(maps.sum((1, 2)), scores - NUMBERS, rtol=1e-4)


def test_a_patch_that_changes_moves_the_map_to_its_place():
    model = token_classifier(17)
    model.get_layer("body.patches").set_weights([np.full((16, 16, 3, 6), 0.01), np.zeros(6)])
    model.get_layer("head.logits").set_weights([np.ones((6, 3)), np.zeros(3)])
    image = np.zeros((1, 64, 64, 3), "uint8")
    image[0, 16:32, 48:64] = 255
    (heat,), _ = class_maps(model, image, [0])
    assert heat[1, 3] > 0 and np.count_nonzero(heat) == 1


def test_the_tokens_of_a_preset_of_keras_hub_are_found(tmp_path):
    keras_hub = importlib.import_module("keras_hub")
    vit = keras_hub.models.ViTBackbone(
        image_shape=(64, 64, 3), patch_size=16, num_layers=1, num_heads=2, hidden_dim=4, mlp_dim=4
    )
    vit.save_to_preset(tmp_path)
    keras_hub.layers.ViTImageConverter(image_size=(64, 64), scale=1 / 255).save_to_preset(tmp_path)
    model = build_image_classifier(f"keras_hub:{tmp_path}", 3)
    assert find_features(model).shape == (None, 17, 4)
    assert class_maps(model, IMAGES, NUMBERS)[0].shape == (3, 4, 4)


def flat_classifier():
    inputs = keras.Input((64, 64, 3))
    return keras.Model(inputs, layers.Dense(2, name="head.logits")(layers.Flatten(name="top.flat")(inputs)), name="vit")


@pytest.mark.parametrize(
    ("build", "found"), [(lambda: token_classifier(15), "vit has 15 tokens"), (flat_classifier, "vit has neither")]
)
def test_a_network_without_a_map_or_a_grid_is_refused(build, found):
    with pytest.raises(InputError, match=f"feature map or a square grid of tokens .*{found}"):
        class_maps(build(), IMAGES, NUMBERS)
