"""Augmentation presets of Keras's random layers on batches, as pure functions of a seed."""

import functools
from dataclasses import dataclass

import keras
import tensorflow as tf

from tl_keras.data.pipeline.stateless_random import StatelessSeeds
from tl_keras.errors import unknown_name


@dataclass(frozen=True)
class Preset:
    """Steps of an augmentation; a step is (name of a layer in `keras.layers`, its arguments).

    Attributes:
        steps: applied to every image, in this order, before `choices`.
        choices: steps of which each image gets `picks`, drawn independently and with replacement.
        picks: number of choices per image.
        mixing: applied last; steps that mix images of the batch with each other, and their labels likewise.
    """

    steps: tuple = ()
    choices: tuple = ()
    picks: int = 0
    mixing: tuple = ()


_FLIP = ("RandomFlip", {"mode": "horizontal"})
_LIGHT = (
    _FLIP,
    ("RandomTranslation", {"height_factor": 0.08, "width_factor": 0.08, "fill_mode": "nearest"}),
    ("RandomZoom", {"height_factor": 0.1, "fill_mode": "nearest"}),
    ("RandomBrightness", {"factor": 0.1}),
    ("RandomContrast", {"factor": 0.1}),
)
_STRONG = (
    _FLIP,
    ("RandomTranslation", {"height_factor": 0.12, "width_factor": 0.12, "fill_mode": "nearest"}),
    ("RandomZoom", {"height_factor": 0.25, "fill_mode": "nearest"}),
    # A factor of 1 is a full turn: 0.05 is 18 degrees to either side.
    ("RandomRotation", {"factor": 0.05, "fill_mode": "nearest"}),
    ("RandomBrightness", {"factor": 0.2}),
    ("RandomContrast", {"factor": 0.3}),
    # value_range is the range of the saturation, to which the layer clips it: 0 to 1 for any range of the pixels.
    ("RandomSaturation", {"factor": (0.35, 0.65), "value_range": (0, 1)}),
    ("RandomHue", {"factor": 0.08}),
    ("RandomErasing", {"factor": (0.3, 0.3), "scale": (0.02, 0.2), "fill_value": 127.0}),
)
# The operations of Cubuk et al., "RandAugment" (2020), table 6, at about a third of their full strength.
_RAND_AUGMENT = (
    ("RandomShear", {"x_factor": 0.15, "y_factor": 0.15, "fill_mode": "nearest"}),
    ("RandomTranslation", {"height_factor": 0.15, "width_factor": 0.15, "fill_mode": "nearest"}),
    ("RandomRotation", {"factor": 0.04, "fill_mode": "nearest"}),
    ("RandomBrightness", {"factor": 0.25}),
    ("RandomContrast", {"factor": 0.4}),
    ("RandomColorDegeneration", {"factor": 0.6}),
    ("RandomSharpness", {"factor": (0.0, 1.0)}),
    ("RandomPosterization", {"factor": (4, 8)}),
    ("Solarization", {"threshold_factor": 1.0}),
    ("AutoContrast", {}),
    ("Equalization", {}),
)

AUGMENTATIONS = {
    "none": Preset(),
    "light": Preset(steps=_LIGHT),
    "strong": Preset(steps=_STRONG),
    "randaugment": Preset(steps=(_FLIP,), choices=_RAND_AUGMENT, picks=2),
    "mixup": Preset(steps=_LIGHT, mixing=(("MixUp", {"alpha": 0.2}),)),
    "cutmix": Preset(steps=_LIGHT, mixing=(("CutMix", {"factor": 1.0}),)),
}


def augment(images, labels, preset, seed):
    """Augments a batch, in a `tf.data` map or eagerly.

    Args:
        images: uint8 or float32 (batch, height, width, 3), RGB, 0 to 255.
        labels: float32 (batch, num_classes), one-hot or multi-hot.
        preset: a key of `AUGMENTATIONS`.
        seed: int32 or int64 (2,). The result depends on the arguments only.

    Returns:
        images: float32, of the same shape and range.
        labels: float32, of the same shape; "mixup" and "cutmix" mix them like the images.

    Raises:
        InputError: the preset is unknown.
    """
    layers = _layers(preset)
    seeds = StatelessSeeds(seed)
    images = tf.cast(images, tf.float32)
    for layer in layers.steps:
        images = _transform(layer, images, seeds)
    if layers.choices:
        images = _random_choices(layers, images, seeds.next())
    for layer in layers.mixing:
        transformation = layer.get_random_transformation(images, seed=seeds)
        images = layer.transform_images(images, transformation)
        labels = layer.transform_labels(labels, transformation)
    # Interpolation may exceed the range by rounding errors.
    return tf.clip_by_value(images, 0.0, 255.0), labels


@functools.cache
def _layers(preset):
    """Returns the preset with Keras layers in place of names; cached, because each layer creates a variable."""
    if preset not in AUGMENTATIONS:
        raise unknown_name("data.augmentation", preset, AUGMENTATIONS)
    description = AUGMENTATIONS[preset]
    # Created outside of any graph under construction, and in float32 under any precision policy.
    with tf.init_scope():
        steps, choices, mixing = (
            tuple(getattr(keras.layers, name)(**arguments, dtype="float32") for name, arguments in part)
            for part in (description.steps, description.choices, description.mixing)
        )
    return Preset(steps, choices, description.picks, mixing)


def _transform(layer, images, seeds):
    return layer.transform_images(images, layer.get_random_transformation(images, seed=seeds))


def _transform_choice(layer, images, seed):
    # Own seeds, because a graph traces every branch, and the draws of one must not shift those of the next.
    return _transform(layer, images, StatelessSeeds(seed))


def _random_choices(layers, images, seed):
    """Applies randomly drawn layers to each image."""

    def change(row_and_image):
        row, image = row_and_image
        row_seed = tf.random.experimental.stateless_fold_in(seed, row)
        images = image[None]
        for number in range(layers.picks):
            pick_seed = tf.random.experimental.stateless_fold_in(row_seed, number)
            pick = tf.random.stateless_uniform((), pick_seed, 0, len(layers.choices), tf.int32)
            branches = [functools.partial(_transform_choice, layer, images, pick_seed) for layer in layers.choices]
            images = tf.ensure_shape(tf.switch_case(pick, branches), images.shape)
        return images[0]

    return tf.map_fn(change, (tf.range(tf.shape(images)[0]), images), fn_output_signature=tf.float32)
