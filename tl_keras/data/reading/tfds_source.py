"""Images and texts of TensorFlow Datasets: by name, or from a folder that it has prepared."""

import contextlib
import difflib
import logging
import socket
from dataclasses import replace

import numpy as np
import tensorflow_datasets as tfds

from tl_keras.data.reading.folders import prepared_versions
from tl_keras.data.reading.tfds_safety import check_name, check_prepared
from tl_keras.data.records import Records, split_of_name
from tl_keras.data.texts.checks import text_problem
from tl_keras.data.wording import first_of, one_line
from tl_keras.errors import InputError

# Where TensorFlow Datasets keeps prepared data; without it, a download would be tried again for minutes.
DOWNLOAD_HOST = ("storage.googleapis.com", 443)


def read_images(place):
    """Reads the images of a data set.

    Args:
        place: `Place` of the form "tfds", such as "tf_flowers" or "oxford_flowers102:2.1.1", which is prepared first
            where that is still to be done; or "prepared", the folder with dataset_info.json or one above it.

    Returns:
        `Records` whose sources are the encoded images (they are held in memory, undecoded).

    Raises:
        InputError: the name is unknown, the data are neither here nor to be had, a folder holds several data sets or
            versions, or they have no image or no label.
    """
    builder, name = open_builder(place)
    image = _feature(builder, name, tfds.features.Image, "image", "an image")
    label = _feature(builder, name, tfds.features.ClassLabel, "label", "a class label")
    return _records(builder, label, (image,), {image: tfds.decode.SkipDecoding()})


def read_texts(place, *, text_column="text", second_text_column=None, label_column="label"):
    """Reads the texts of a data set.

    Args:
        place: as in `read_images`.
        text_column: the feature that holds the texts; if it has the default name and is not there, the only text is
            taken.
        second_text_column: the feature that holds the second text of each pair; None: no pairs.
        label_column: the feature that holds the labels; if it has the default name and is not there, the only class
            label is taken.

    Returns:
        `Records` whose sources are str, or tuples of two. Texts that are empty or damaged are left out, with a note.

    Raises:
        InputError: as in `read_images`.
    """
    builder, name = open_builder(place)
    texts = [_feature(builder, name, tfds.features.Text, text_column, "a text", "text.text_column")]
    if second_text_column is not None:
        texts.append(
            _feature(builder, name, tfds.features.Text, second_text_column, "a text", "text.second_text_column")
        )
    label = _feature(builder, name, tfds.features.ClassLabel, label_column, "a class label", "data.label_column")
    records = _records(builder, label, texts, {})
    sources = [_decoded(source) for source in records.sources]
    good = [row for row, source in enumerate(sources) if source is not None]
    kept = replace(records, sources=sources).take(good)
    left_out = len(sources) - len(good)
    note = f"Left out {left_out:,} of {len(sources):,} texts of {name}, for they are empty or damaged."
    return replace(kept, notes=(note,) if left_out else ())


def open_builder(place, timeout_seconds=3.0):
    """Finds a data set, and prepares it first where that is still to be done.

    Args:
        place: as in `read_images`.
        timeout_seconds: how long to wait for the place that downloads come from.

    Returns:
        The builder of a data set that is prepared, and what to call it.

    Raises:
        InputError: as in `read_images`.
    """
    if place.form == "prepared":
        versions = prepared_versions(place.where)
        if len(versions) != 1:
            raise InputError(
                f"The folder {place.where} holds {len(versions)} prepared data sets, expected one: give one of "
                f"{first_of(versions)}."
            )
        check_prepared(versions[0])
        return tfds.builder_from_directory(versions[0]), str(place.where)
    check_name(place.where)
    try:
        with _without_warnings():
            builder = tfds.builder(place.where)
            prepared = builder.is_prepared()
    except tfds.core.registered.DatasetNotFoundError as error:
        raise _unknown(place.where) from error
    if not prepared:
        _prepare(builder, place.where, timeout_seconds)
    return builder, f"tfds:{place.where}"


@contextlib.contextmanager
def _without_warnings():
    # TensorFlow Datasets 4.9 warns of each folder that it has yet to fill.
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


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


def _feature(builder, name, kind, wanted, expected, argument=None):
    """Returns the key of a feature of some kind: the wanted one, or where its name is only a default the only one."""
    features = dict(sorted(builder.info.features.items()))
    keys = [key for key, feature in features.items() if isinstance(feature, kind)]
    is_default = wanted in ("image", "text", "label")
    if wanted in keys:
        return wanted
    if is_default and (len(keys) == 1 or (keys and argument is None)):
        return keys[0]
    hint = f"name it with --{argument}" if keys else "choose another data set"
    raise InputError(
        f"{name} has the features {', '.join(features)}: expected {expected}, named {wanted!r}; {hint}"
        f"{' ' + ' or '.join(keys) if keys else ''}."
    )


def _records(builder, label, keys, decoders):
    """Reads every labelled example; the sources are values as they are stored, or tuples where there are two keys."""
    sources, labels, splits, names = [], [], [], []
    for part in builder.info.splits:
        # Decoding images is left to our own reader, which checks every one and does it once.
        dataset = builder.as_dataset(split=part, decoders=decoders, shuffle_files=False)
        for row, example in enumerate(tfds.as_numpy(dataset)):
            # Some data sets mark examples whose label is a secret with -1.
            if example[label] >= 0:
                values = tuple(example[key] for key in keys)
                sources.append(values if len(values) > 1 else values[0])
                labels.append(example[label])
                splits.append(split_of_name(part) or "")
                names.append(f"{part}/{row}")
    return Records(sources, names, np.array(labels, np.int32), splits, tuple(builder.info.features[label].names))


def _decoded(source):
    """Returns a text, or a tuple of them, from its bytes; None if there is nothing to learn from."""
    try:
        texts = [part.decode("utf-8").strip() for part in (source if isinstance(source, tuple) else (source,))]
    except UnicodeDecodeError:
        return None
    if any(text_problem(text) for text in texts):
        return None
    return tuple(texts) if isinstance(source, tuple) else texts[0]
