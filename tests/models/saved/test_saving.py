import json
import os
import zipfile

import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.classifiers import build_image_classifier
from tl_keras.models.saved.allow_list import check_classes
from tl_keras.models.saved.saving import open_model, save_model
from tl_keras.models.saved.size_check import check_declared_sizes
from tl_keras.models.weights.files import read_class_names

RUN = ("cat", "dog", "bird")


def small_model(class_names=None):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(image)))
    model.class_names = class_names
    return model


def test_save_model_stores_class_names_and_no_optimizer(tmp_path):
    model = small_model(class_names=("Käfer", "dog", "bird"))
    model.compile("adam", "mse")
    path = tmp_path / "model.keras"
    save_model(model, path)
    assert read_class_names(path) == read_class_names(tmp_path) == ("Käfer", "dog", "bird")
    loaded = keras.models.load_model(path)
    assert not loaded.compiled
    images = np.ones((1, 8, 8, 3), "float32")
    np.testing.assert_array_equal(np.asarray(loaded(images)), np.asarray(model(images)))
    assert os.listdir(tmp_path) == ["model.keras"]


def test_class_names_can_be_passed(tmp_path):
    save_model(small_model(), tmp_path / "model.keras", class_names=["a", "b", "c"])
    assert read_class_names(tmp_path) == ("a", "b", "c")
    save_model(small_model(), tmp_path / "model.keras", class_names=np.array(["d", "e", "f"]))
    assert read_class_names(tmp_path) == ("d", "e", "f")


def test_a_failed_save_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    save_model(small_model(class_names=RUN), path)
    before = path.read_bytes()

    def refuse(*_arguments, **_options):
        raise OSError("disk full")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", refuse)
    with pytest.raises(OSError, match="disk full"):
        save_model(small_model(class_names=RUN), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.keras"]


def test_a_saved_model_opens_uncompiled_with_its_weights(tmp_path):
    model = small_model()
    save_model(model, tmp_path / "model.keras")
    opened = open_model(tmp_path / "model.keras")
    assert not opened.compiled
    for one, other in zip(opened.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_code_in_a_model_is_refused(tmp_path):
    image = keras.Input((2,))
    keras.Model(image, keras.layers.Lambda(lambda values: values + 1)(image)).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="'Lambda' of 'keras.layers', which this project does not write"):
        open_model(tmp_path / "model.keras")


@pytest.mark.parametrize("name", ["vgg16", pytest.param("efficientnet_lite0", marks=pytest.mark.slow)])
def test_a_classifier_of_large_images_is_opened_again(name, tmp_path):
    model = build_image_classifier(name, 3, weights="none", image_size=512)
    save_model(model, tmp_path / "model.keras")
    assert open_model(tmp_path / "model.keras").input_shape == (None, 512, 512, 3)


@pytest.mark.parametrize("pooling", ["max", "concat"])
def test_the_layers_of_heads_are_allowed(pooling):
    model = build_image_classifier("vgg16", 3, weights="none", image_size=32, hidden_units=4, pooling=pooling)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(keras.Model(model.input, model.output))))
    check_classes(config)
    check_declared_sizes(config, 4 * model.count_params())
