"""Data sets of TensorFlow Datasets, opened by name or from a prepared folder, and their examples as records."""

import contextlib
import difflib
import importlib
import logging
import socket

import numpy as np
import tensorflow_datasets as tfds
from google.protobuf.json_format import ParseError

from tl_keras.data.reading.folders import prepared_versions
from tl_keras.data.reading.tfds_safety import check_name, check_prepared
from tl_keras.data.records import Records, split_of_name
from tl_keras.data.wording import excerpt, first_of, one_line
from tl_keras.errors import MAX_QUOTED, InputError, counted
from tl_keras.system.global_state import quiet_loggers

DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError, ParseError)
"""What TensorFlow Datasets and protobuf raise for files that are not as they wrote them."""
# TensorFlow Datasets keeps prepared data on this host. Without it, a download would be retried for minutes.
DOWNLOAD_HOST = ("storage.googleapis.com", 443)


def open_builder(location, timeout_seconds=3.0):
    """Finds a data set and prepares it if it is not prepared yet.

    Args:
        location: `Location` of the form "tfds", whose name is such as "tf_flowers" or "oxford_flowers102:2.1.1"; or
            "prepared", the folder with dataset_info.json or one above it.
        timeout_seconds: maximum wait for the download host.

    Returns:
        The builder of the prepared data set, and its name for messages.

    Raises:
        InputError: the name is unknown, the data are neither prepared nor downloadable, or a folder holds several data
            sets or versions.
    """
    if location.form == "prepared":
        versions = prepared_versions(location.path)
        if len(versions) != 1:
            raise InputError(
                f"The folder {location.path} holds {counted(len(versions), 'prepared data set')}, expected one: give "
                f"one of {first_of(versions)}."
            )
        check_prepared(versions[0])
        with _prepared_data(location.path):
            return tfds.builder_from_directory(versions[0]), str(location.path)
    check_name(location.path)
    try:
        # TensorFlow Datasets 4.9 warns about each folder that it has yet to fill.
        with quiet_loggers("absl", level=logging.ERROR):
            builder = tfds.builder(location.path)
            prepared = builder.is_prepared()
    except tfds.core.registered.DatasetNotFoundError as error:
        raise _unknown(location.path) from error
    if not prepared:
        _prepare(builder, location.path, timeout_seconds)
    return builder, f"tfds:{location.path}"


def feature_key(builder, name, feature_class, key, description, flag=None):
    """Finds the key of a feature of one class.

    Args:
        builder: the builder of the data set.
        name: name of the data set, for the message.
        feature_class: class of the feature, such as `tfds.features.Text`.
        key: the expected key. If it is one of the defaults "image", "text" and "label" and is missing, the only feature
            of this class is used instead, and without `flag` the first one.
        description: description of the feature for the message, such as "a text".
        flag: the flag that names the feature, such as "text.text_column"; None if there is no flag for it.

    Returns:
        The key, a str.

    Raises:
        InputError: the feature is missing, or there are several; the message names them.
    """
    features = dict(sorted(builder.info.features.items()))
    keys = [one for one, feature in features.items() if isinstance(feature, feature_class)]
    is_default = key in ("image", "text", "label")
    if key in keys:
        return key
    if is_default and (len(keys) == 1 or (keys and flag is None)):
        return keys[0]
    hint = f"name it with --{flag}" if keys else "choose another data set"
    raise InputError(
        f"{name} has the features {', '.join(features)}: expected {description}, named {key!r}; {hint}"
        f"{' ' + ' or '.join(keys) if keys else ''}."
    )


def read_examples(builder, decoders=None):
    """Reads all examples, split by split.

    Args:
        builder: the builder of a prepared data set.
        decoders: dict from key to decoder, as in `as_dataset`. Images should skip decoding: our own reader checks and
            decodes each image once.

    Yields:
        Name ("train/7"), split ("" for an unknown name) and the example, a dict of arrays.
    """
    for part in builder.info.splits:
        with _prepared_data(builder.data_dir):
            dataset = tfds.as_numpy(builder.as_dataset(split=part, decoders=decoders, shuffle_files=False))
            for row, example in enumerate(dataset):
                yield f"{part}/{row}", split_of_name(part) or "", example


def read_records(builder, label_key, source_keys, decoders=None):
    """Reads all examples that have a label.

    Args:
        builder: the builder of a prepared data set.
        label_key: key of the class label.
        source_keys: keys of the sources, one or two.
        decoders: as in `read_examples`.

    Returns:
        `Records` whose sources are the stored values, or tuples of two.
    """
    sources, labels, splits, names = [], [], [], []
    for name, split, example in read_examples(builder, decoders):
        # Some data sets mark examples whose label is a secret with -1.
        if example[label_key] >= 0:
            values = tuple(example[key] for key in source_keys)
            sources.append(values if len(values) > 1 else values[0])
            labels.append(example[label_key])
            splits.append(split)
            names.append(name)
    class_names = tuple(builder.info.features[label_key].names)
    check_label(max(labels, default=0), class_names, builder)
    return Records(sources, names, np.array(labels, np.int32), splits, class_names)


def check_label(label, class_names, builder):
    """Refuses a label that the data set has no name for.

    Args:
        label: int.
        class_names: sequence of the names.
        builder: the builder of the data set.

    Raises:
        InputError: there is no name of this number.
    """
    if label >= len(class_names):
        raise _damaged(builder.data_dir, f"it names {counted(len(class_names), 'class')}, but has the label {label}")


@contextlib.contextmanager
def _prepared_data(folder):
    """Converts what its packages raise for a prepared data set with missing or damaged files to `InputError`."""
    try:
        yield
    except InputError:
        raise
    # The name of TensorFlow's errors is only looked up, and TensorFlow loaded, if there is one.
    except (*DAMAGE, importlib.import_module("tensorflow").errors.OpError) as error:
        raise _damaged(folder, excerpt(one_line(error).rpartition("}} ")[2], MAX_QUOTED)) from error


def _damaged(folder, reason):
    return InputError(
        f"The prepared data set in {str(folder)!r} is incomplete or damaged ({reason}): prepare or copy it again."
    )


def _unknown(name):
    near = difflib.get_close_matches(name, tfds.list_builders(with_community_datasets=False), n=1)
    hint = f"did you mean tfds:{near[0]}?" if near else "see its catalogue for the names."
    return InputError(f"TensorFlow Datasets {tfds.__version__} has no data set {name!r}: {hint}")


def _prepare(builder, name, timeout_seconds):
    try:
        socket.create_connection(DOWNLOAD_HOST, timeout=timeout_seconds).close()
    except OSError as error:
        raise InputError(
            f"tfds:{name} is not prepared in {builder.data_dir}, and {DOWNLOAD_HOST[0]} cannot be reached to download "
            "it: prepare it on a machine with network and copy its folder, or give --data.path data of your own."
        ) from error
    try:
        builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:
        raise InputError(
            f"tfds:{name} could not be prepared: {one_line(error)}; try again, or prepare it on another machine."
        ) from error
