"""Labelled images of TensorFlow Datasets. Importing this module loads that library."""

import tensorflow_datasets as tfds

from tl_keras.data.reading.tfds_source import feature_key, open_builder, read_records


def read_images(location):
    """Reads the images of a data set.

    Args:
        location: `Location` of the form "tfds" or "prepared", as in `open_builder`.

    Returns:
        `Records` whose sources are the encoded images (they are held in memory, undecoded).

    Raises:
        InputError: as in `open_builder`, or the data set has no image or no label.
    """
    builder, name = open_builder(location)
    image_key = feature_key(builder, name, tfds.features.Image, "image", "an image")
    label_key = feature_key(builder, name, tfds.features.ClassLabel, "label", "a class label")
    return read_records(builder, label_key, [image_key], {image_key: tfds.decode.SkipDecoding()})
