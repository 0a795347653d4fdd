"""Images of TensorFlow Datasets: by name, or from a folder that it has prepared."""

import difflib
import socket

import numpy as np
import tensorflow_datasets as tfds

from tl_keras.data.folders import prepared_versions
from tl_keras.data.listing import first_of, one_line
from tl_keras.data.records import Records, split_of_name
from tl_keras.errors import InputError

# Where TensorFlow Datasets keeps prepared data; without it, a download would be tried again for minutes.
DOWNLOAD_HOST = ("storage.googleapis.com", 443)


def read_named(name, *, timeout_seconds=3.0):
    """Reads a data set of TensorFlow Datasets, and prepares it first where that is still to be done.

    Args:
        name: such as "tf_flowers" or "oxford_flowers102:2.1.1".
        timeout_seconds: how long to wait for the network before it counts as out of reach.

    Returns:
        `Records` whose sources are the encoded images (they are held in memory, undecoded).

    Raises:
        InputError: the name is unknown, the data are neither here nor to be had, or they have no image or no label.
    """
    try:
        builder = tfds.builder(name)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise _unknown(name) from error
    if not builder.is_prepared():
        _prepare(builder, name, timeout_seconds)
    return _records(builder, f"tfds:{name}")


def read_prepared(folder):
    """Reads a folder that TensorFlow Datasets has prepared: the one with dataset_info.json, or one above it.

    Args:
        folder: the folder.

    Returns:
        `Records` whose sources are the encoded images.

    Raises:
        InputError: the folder holds several data sets or versions, or they have no image or no label.
    """
    versions = prepared_versions(folder)
    if len(versions) != 1:
        raise InputError(
            f"The folder {folder} holds {len(versions)} prepared data sets, expected one: give one of "
            f"{first_of(versions)}."
        )
    return _records(tfds.builder_from_directory(versions[0]), str(folder))


def _unknown(name):
    near = difflib.get_close_matches(name, tfds.list_builders(with_community_datasets=False), n=1)
    hint = f"did you mean tfds:{near[0]}?" if near else "see its catalogue for the names."
    return InputError(f"TensorFlow Datasets {tfds.__version__} has no data set {name!r}: {hint}")


def _prepare(builder, name, timeout_seconds):
    if not _reachable(timeout_seconds):
        raise InputError(
            f"tfds:{name} is not prepared in {builder.data_dir}, and {DOWNLOAD_HOST[0]} cannot be reached to download "
            "it: prepare it on a machine with network and copy its folder, or give --data.path data of your own."
        )
    try:
        builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:
        raise InputError(
            f"tfds:{name} could not be prepared: {one_line(error)}; try again, or prepare it on another machine."
        ) from error


def _reachable(timeout_seconds):
    try:
        socket.create_connection(DOWNLOAD_HOST, timeout=timeout_seconds).close()
    except OSError:
        return False
    return True


def _records(builder, name):
    image, label = _keys(builder, name)
    sources, labels, splits, names = [], [], [], []
    for part in builder.info.splits:
        # Decoding is left to our own reader, which checks every image and does it once.
        dataset = builder.as_dataset(split=part, decoders={image: tfds.decode.SkipDecoding()}, shuffle_files=False)
        for row, example in enumerate(tfds.as_numpy(dataset)):
            # Some data sets mark examples whose label is a secret with -1.
            if example[label] >= 0:
                sources.append(example[image])
                labels.append(example[label])
                splits.append(split_of_name(part) or "")
                names.append(f"{part}/{row}")
    return Records(sources, names, np.array(labels, np.int32), splits, tuple(builder.info.features[label].names))


def _keys(builder, name):
    """Returns the keys of the image and of the label among the features."""
    features = builder.info.features
    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    labels = [key for key, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    image = "image" if "image" in images else next(iter(images), None)
    label = "label" if "label" in labels else next(iter(labels), None)
    if image is None or label is None:
        raise InputError(
            f"{name} has the features {', '.join(features)}: expected an image and a class label; choose a data set "
            "for image classification."
        )
    return image, label
