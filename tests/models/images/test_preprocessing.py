import keras
import numpy as np
import pytest

from tl_keras.models.images.backbones import BACKBONES, Preprocessing
from tl_keras.models.images.preprocessing import preprocess

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")


def preprocessed(preprocessing):
    image = keras.Input((32, 32, 3))
    return np.asarray(keras.Model(image, preprocess(image, preprocessing))(PIXELS))


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "inception_v3", "resnet50", "mobilenet_v2", "xception"])
def test_preprocessing_equals_the_function_of_keras_applications(name):
    module = {"resnet50": keras.applications.resnet}.get(name) or getattr(keras.applications, name)
    np.testing.assert_allclose(
        preprocessed(BACKBONES[name].preprocessing), module.preprocess_input(PIXELS.copy()), atol=1e-5
    )


@pytest.mark.parametrize(
    "name, constructor, layers",
    [
        ("efficientnet_v2_b0", keras.applications.EfficientNetV2B0, 2),
        ("convnext_tiny", keras.applications.ConvNeXtTiny, 1),
    ],
)
def test_preprocessing_equals_the_layers_inside_the_application(name, constructor, layers):
    application = constructor(weights=None, include_top=False, input_shape=(32, 32, 3))
    expected = keras.Model(application.input, application.layers[layers].output)(PIXELS)
    np.testing.assert_allclose(preprocessed(BACKBONES[name].preprocessing), np.asarray(expected), atol=1e-5)


def test_pixels_are_not_rounded_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        outputs = preprocessed(Preprocessing(mean=(0.5, 0.5, 0.5)))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(outputs, PIXELS - 0.5)
