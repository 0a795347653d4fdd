"""Tiny models as sources of exports."""

import functools

import keras
import numpy as np
from keras import layers

from tests.models.detection.tiny_detectors import build_tiny, rectangles
from tests.models.tiny_encoders import bert
from tl_keras.exporting.checked_export import Source
from tl_keras.models.saved.saving import save_model
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input

NAMES = ("cat", "dög", "bird")
IMAGES = {"images": np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype("float32")}
TEXTS = {"text": ["good film", "a very bad, very dull film!", "", "the CAFÉ", "good " * 30 + "fun", "b bad 😀"]}


@functools.cache
def image_model():
    """Builds a classifier of one convolution."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3))
    outputs = layers.Rescaling(1 / 127.5, -1)(image)
    outputs = layers.Conv2D(8, 3, activation="relu")(outputs)
    outputs = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(outputs))
    return keras.Model(image, layers.Dense(3, activation="softmax")(outputs))


@functools.cache
def text_model(folder, truncation="head"):
    """Builds a classifier over strings of two transformer layers from a preset in a folder."""
    keras.utils.set_random_seed(0)
    for part in bert():
        part.save_to_preset(str(folder))
    classifier = build_text_classifier(folder, 3, pooling="average", class_names=NAMES)
    return with_text_input(classifier, max_tokens=12, truncation=truncation)


@functools.cache
def detector(name):
    """Builds a tiny detector from images to detections."""
    keras.utils.set_random_seed(0)
    return build_tiny(name).inference_model()


def source_of(model, folder, inputs, **options):
    """Saves a model as a run does, and returns it as a `Source`."""
    save_model(model, folder / "source.keras", class_names=NAMES)
    settings = {"resize": "stretch", "max_tokens": 12, "truncation": "head"} | options
    return Source(model, folder / "source.keras", NAMES, inputs=inputs, **settings)


def detector_source(name, folder):
    """Returns a tiny detector as a `Source`."""
    return source_of(detector(name), folder, {"images": rectangles(2)[0].astype("float32")})
