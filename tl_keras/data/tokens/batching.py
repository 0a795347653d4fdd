"""Reproducible batches of token ids of similar lengths for `fit`, `evaluate` and `predict`."""

import functools
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tl_keras.data.labels import to_one_hot
from tl_keras.data.pipeline.pipeline_calls import call_python
from tl_keras.data.pipeline.step_dataset import dataset_of_steps
from tl_keras.data.tokens.batch_plan import plan_batches


@dataclass(frozen=True, eq=False)
class TokenFeatures:
    """Cached activations of a frozen part of a model, in place of token ids.

    Attributes:
        values: array or memmap, (total, width) with a row per token, or (n, ...) with a row per text.
        starts: int64 (n,), the first row of each text.
        per_token: True if there is a row per token.
    """

    values: np.ndarray
    starts: np.ndarray
    per_token: bool


def make_token_dataset(
    token_set,
    batch_size,
    *,
    tokens_per_batch=None,
    shuffle_seed=None,
    first_epoch=0,
    features=None,
    few_shapes=False,
):
    """Makes batches of a `TokenSet`.

    Args:
        token_set: the texts, with labels; at least one.
        batch_size: maximum number of texts per batch.
        tokens_per_batch: maximum number of tokens per batch, as in `plan_batches`.
        shuffle_seed: int >= 0; the dataset is then endless, with `token_steps_per_epoch` batches per epoch. Members and
            order of the batches depend on (shuffle_seed, epoch) only. None: one pass, sorted by length
            (`token_batches` yields the rows).
        first_epoch: the epoch to start with; the batches equal those of a dataset that started at epoch 0.
        features: `TokenFeatures` in place of the ids; the rows of each batch are the same.
        few_shapes: as in `plan_batches`.

    Returns:
        A `dataset_of_steps` of (inputs, labels). Labels: float32 (batch, num_classes), one-hot or multi-hot. Inputs:
        {"token_ids": int32 (batch, length), "padding_mask": int32 (batch, length), 1 for tokens and 0 for padding,
        and for sets with segments "segment_ids": int32 (batch, length)}; with features per token (values (batch,
        length, width), padding_mask); with features per text values (batch, ...). Padded values are 0.

    Raises:
        InputError: the set is empty, or a number is below 1.
    """
    plan = plan_batches(token_set, batch_size, tokens_per_batch=tokens_per_batch, few_shapes=few_shapes)
    steps, num_classes = len(plan.batches()), len(token_set.class_names)

    @functools.lru_cache(maxsize=2)
    def batches(epoch):
        return plan.batches(None if shuffle_seed is None else np.random.default_rng([shuffle_seed, epoch]))

    def read(step, number=0, bounds=None):
        rows, length = batches(int(step) // steps)[int(step) % steps]
        if bounds is not None:
            rows = rows[slice(*bounds(len(rows), int(number)))]
        inputs = read_token_inputs(token_set, rows, length, features)
        return inputs, to_one_hot(token_set.labels[rows], num_classes)

    # The first batch shows the structure and the dtypes of all batches.
    pattern = read(0)
    types = [array.dtype for array in tf.nest.flatten(pattern)]
    shapes = _shapes(pattern, features)

    def build(bounds):
        def load(step, number):
            arrays = call_python(read_flat, [step, number], types)
            for array, shape in zip(arrays, shapes, strict=True):
                array.set_shape(shape)
            return tf.nest.pack_sequence_as(pattern, arrays)

        def read_flat(step, number):
            return tf.nest.flatten(read(step, number, bounds))

        return load, read_flat

    return dataset_of_steps(steps, build, first_epoch=first_epoch, endless=shuffle_seed is not None)


def token_batches(token_set, batch_size, *, tokens_per_batch=None, few_shapes=False):
    """Yields the batches of one pass in order of length, with their rows, for prediction.

    Args:
        token_set: `TokenSet`, with or without labels.
        batch_size: as in `plan_batches`.
        tokens_per_batch: as in `plan_batches`.
        few_shapes: as in `plan_batches`.

    Yields:
        rows: int64 (batch,), the rows of these texts in the set.
        inputs: dict of arrays, as in `make_token_dataset`.

    Raises:
        InputError: the set is empty, or a number is below 1.
    """
    plan = plan_batches(token_set, batch_size, tokens_per_batch=tokens_per_batch, few_shapes=few_shapes)
    for rows, length in plan.batches():
        yield rows, read_token_inputs(token_set, rows, length)


def token_steps_per_epoch(token_set, batch_size, *, tokens_per_batch=None, few_shapes=False):
    """Computes the number of batches in an epoch, an int; arguments as in `plan_batches`."""
    return sum(batch_shapes(token_set, batch_size, tokens_per_batch=tokens_per_batch, few_shapes=few_shapes).values())


def batch_shapes(token_set, batch_size, *, tokens_per_batch=None, few_shapes=False):
    """Counts the batches of an epoch by shape; arguments as in `plan_batches`.

    Returns:
        dict from (batch, length) to the number of batches of that shape, the same in every epoch.
    """
    plan = plan_batches(token_set, batch_size, tokens_per_batch=tokens_per_batch, few_shapes=few_shapes)
    return plan.shapes()


def read_token_inputs(token_set, rows, length, features=None):
    """Reads the inputs of a model.

    Args:
        token_set: `TokenSet`.
        rows: int64 (batch,), the rows of the texts.
        length: int, the number of tokens after padding.
        features: `TokenFeatures` to read in place of the ids; None: the ids.

    Returns:
        The inputs of `make_token_dataset`, as NumPy arrays.
    """
    if features is not None and not features.per_token:
        return np.asarray(features.values[features.starts[rows]])
    starts = token_set.offsets[rows] if features is None else features.starts[rows]
    steps = np.arange(length)
    is_token = steps < token_set.lengths[rows][:, None]
    # Padding reads an arbitrary token and overwrites it, which is faster than a selection.
    positions = np.minimum(starts[:, None] + steps, len(token_set.tokens) - 1)
    if features is not None:
        return _read_padded(features.values, positions, is_token, 0), is_token.astype(np.int32)
    ids = _read_padded(token_set.tokens, positions, is_token, token_set.pad_id)
    inputs = {"token_ids": ids, "padding_mask": is_token.astype(np.int32)}
    if token_set.segments is not None:
        inputs["segment_ids"] = _read_padded(token_set.segments, positions, is_token, 0).astype(np.int32)
    return inputs


def _read_padded(values, positions, is_token, padding):
    result = np.asarray(values[positions])
    result[~is_token] = padding
    return result


def _shapes(pattern, features):
    """Returns the flat list of the shapes of a batch, with None for dimensions that differ between batches."""
    inputs, labels = pattern
    num_dynamic = 1 if features is not None and not features.per_token else 2
    shapes = [(*[None] * num_dynamic, *array.shape[num_dynamic:]) for array in tf.nest.flatten(inputs)]
    return [*shapes, (None, *labels.shape[1:])]
