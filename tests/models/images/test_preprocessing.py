import pkgutil
import sys

import keras
import numpy as np
import pytest

from tl_keras.models.images.backbones import BACKBONES, Preprocessing
from tl_keras.models.images.preprocessing import preprocess

APPLICATIONS = {
    name: pkgutil.resolve_name(entry.constructor)
    for name, entry in BACKBONES.items()
    if entry.constructor.startswith("keras.applications:")
}
SCALED_INSIDE = {name for name in APPLICATIONS if "include_preprocessing" in BACKBONES[name].options}
"""Networks of keras.applications that have their preprocessing as layers, which we leave out."""
PIXELS = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")


def preprocessed(preprocessing):
    image = keras.Input((32, 32, 3))
    return np.asarray(keras.Model(image, preprocess(image, preprocessing))(PIXELS))


@pytest.mark.parametrize("name", sorted(APPLICATIONS.keys() - SCALED_INSIDE))
def test_preprocessing_equals_the_function_of_keras_applications(name):
    module = sys.modules[APPLICATIONS[name].__module__]
    np.testing.assert_allclose(
        preprocessed(BACKBONES[name].preprocessing), module.preprocess_input(PIXELS.copy()), atol=1e-5
    )


@pytest.mark.parametrize("name", sorted(SCALED_INSIDE))
def test_preprocessing_equals_the_layers_inside_the_application(name):
    application = APPLICATIONS[name](weights=None, include_top=False, input_shape=(32, 32, 3))
    kinds = keras.layers.Rescaling | keras.layers.Normalization
    scaling = [layer for layer in application.layers if isinstance(layer, kinds)]
    expected = keras.Model(application.input, scaling[-1].output)(PIXELS)
    np.testing.assert_allclose(preprocessed(BACKBONES[name].preprocessing), np.asarray(expected), atol=1e-5)


def test_pixels_are_not_rounded_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = preprocessed(Preprocessing(mean=(0.5, 0.5, 0.5)))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(outputs, PIXELS - 0.5)
