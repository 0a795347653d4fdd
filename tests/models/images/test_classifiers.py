import subprocess
import sys

import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.classifiers import build_image_classifier
from tl_keras.models.saved.saving import save_model

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype("float32")


def build(num_classes=3, **options):
    return build_image_classifier("vgg16", num_classes, **{"weights": None, "image_size": 32, **options})


def head(model):
    return [layer.name for layer in model.layers if layer.name.startswith("head.")]


def test_the_default_head_returns_probabilities():
    model = build()
    assert head(model) == ["head.pool", "head.dropout", "head.logits", "head.probabilities"]
    np.testing.assert_allclose(np.asarray(model(IMAGES)).sum(1), 1, atol=1e-5)


def test_several_labels_have_a_probability_each():
    model = build(1, multi_label=True)
    assert model.get_layer("head.probabilities").activation is keras.activations.sigmoid


def test_the_head_can_end_in_logits():
    assert head(build(output="logits", dropout=0)) == ["head.pool", "head.logits"]


@pytest.mark.parametrize("pooling, features", [("average", 512), ("max", 512), ("concat", 1024)])
def test_pooled_features_equal_numpy(pooling, features):
    model = build(pooling=pooling)
    assert model.get_layer("head.logits").kernel.shape == (features, 3)
    features = np.asarray(keras.Model(model.input, model.get_layer("block5.pool").output)(IMAGES))
    pooled = np.asarray(keras.Model(model.input, model.get_layer("head.dropout").input)(IMAGES))
    parts = {"average": [features.mean((1, 2))], "max": [features.max((1, 2))]}
    parts["concat"] = parts["average"] + parts["max"]
    np.testing.assert_allclose(pooled, np.concatenate(parts[pooling], axis=-1), atol=1e-5)


def test_several_blocks_are_pooled_one_by_one_and_the_backbone_ends_at_the_last_of_them():
    model = build(head_blocks=["block4", "block2"], pooling="max")
    assert head(model)[:3] == ["head.pool_block2", "head.pool_block4", "head.concat"]
    assert model.get_layer("head.logits").kernel.shape == (128 + 512, 3)
    assert not any(layer.name.startswith("block5") for layer in model.layers)


def test_a_hidden_layer_follows_the_dropout():
    assert head(build(hidden_units=7))[1:4] == ["head.dropout", "head.hidden", "head.logits"]


def test_class_names_are_stored():
    assert build(class_names=["a", "b", "c"]).class_names == ("a", "b", "c")
    assert build().class_names is None


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_classes": 1}, "num_classes is 1, expected at least 2"),
        ({"num_classes": 0, "multi_label": True}, "expected at least 1"),
        ({"pooling": "mean"}, "model.pooling.*average"),
        ({"head_blocks": "block5"}, "model.head_blocks is 'block5', expected last, all, or a list"),
        ({"head_blocks": ["block6"]}, "model.head_blocks 'block6': did you mean 'block5'"),
        ({"output": "probability"}, "model.output.*probabilities"),
        ({"dropout": 1.0}, "model.dropout is 1.0"),
        ({"hidden_units": 0}, "model.hidden_units is 0"),
        ({"class_names": ["a"]}, "1 class name for 3 classes"),
        ({"weights_sha256": "00"}, "--model.weights PATH"),
        ({"weights": "imagenett"}, "No weights at 'imagenett'"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


def test_the_head_stays_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_image_classifier("efficientnet_lite0", 3, image_size=32, hidden_units=4)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("block1.a_dwconv").compute_dtype == "bfloat16"
    assert model.get_layer("head.logits").compute_dtype == "float32"
    outputs = model(IMAGES)
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(np.asarray(outputs).sum(1), 1, atol=1e-5)


PREDICT = """
import sys
sys.modules["tl_keras"] = None  # as if it were not installed
import keras
import numpy as np
images = np.load("images.npy")
for name in sys.argv[1:]:
    np.save(f"{name}.npy", np.asarray(keras.models.load_model(f"{name}.keras")(images)))
"""


@pytest.mark.slow
def test_a_saved_model_predicts_the_same_without_this_project(tmp_path):
    names = ["efficientnet_lite0", "vgg16", "resnet50", "mobilenet_v2", "efficientnet_v2_b0", "convnext_tiny"]
    np.save(tmp_path / "images.npy", IMAGES)
    expected = {}
    for name in names:
        model = build_image_classifier(name, 3, weights=None, image_size=32, class_names=["a", "b", "c"])
        save_model(model, tmp_path / f"{name}.keras")
        expected[name] = np.asarray(model(IMAGES))
    subprocess.run([sys.executable, "-c", PREDICT, *names], cwd=tmp_path, check=True)
    for name in names:
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), expected[name], atol=1e-6)
