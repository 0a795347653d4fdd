"""Check of the memory that a model would need: a file of a few kilobytes can declare gigabytes."""

import copy
import math
from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from tl_keras.errors import InputError

SLACK_BYTES = 1_000_000
"""Bytes that variables may have beyond the stored arrays, e.g. for the states of random generators."""
MAX_ELEMENTS = 2**28
"""Maximum elements of a tensor of the graph for one example: 1 GiB in float32."""
MAX_SETTING = 2**24
"""Maximum integer in a setting of a layer, above the size of every vocabulary."""
MAX_OWN_SETTING = 2**14
"""The same for the layers of this project, some of which allocate arrays of these sizes in their constructor."""
GEOMETRY = ("dilation_rate", "kernel_size", "n", "padding", "pool_size", "size", "strides")
MAX_GEOMETRY = 2**10
"""Maximum integer in the settings named in `GEOMETRY`, which could enlarge images of unknown size."""
NOT_SIZES = ("seed", "shared_object_id")
UNBUILDABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, tf.errors.OpError)


def check_declared_sizes(config, stored_bytes):
    """Builds a model symbolically and compares its size with the arrays in the file.

    Args:
        config: configuration that passed `check_classes`.
        stored_bytes: number of bytes of the arrays in the file.

    Raises:
        InputError: the model declares more weights than the file holds, or too large tensors, or cannot be built.
    """
    _check_numbers(config, MAX_SETTING)
    # Keras records uninitialized variables per thread; the record ends with the thread.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_check_shapes, config, stored_bytes).result()


def _check_shapes(config, stored_bytes):
    with keras.StatelessScope(initialize_variables=False):
        try:
            # Keras modifies the configuration.
            model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
            declared = sum(math.prod(variable.shape) * _bytes_of(variable) for variable in model.variables)
            largest = max(_elements(model), default=0)
        except UNBUILDABLE as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise InputError(f"The model cannot be built ({reason}): expected one that this project saved.") from error
    if declared > stored_bytes + SLACK_BYTES:
        raise InputError(
            f"The model declares {declared / 1e6:,.1f} MB of weights, but its file holds {stored_bytes / 1e6:,.1f} MB: "
            "it is damaged, or made to exhaust the memory."
        )
    if largest > MAX_ELEMENTS:
        raise InputError(
            f"The model computes a tensor of {largest:,} numbers for each example, more than {MAX_ELEMENTS:,}: it is "
            "damaged, or made to exhaust the memory."
        )


def _bytes_of(variable):
    return tf.as_dtype(variable.dtype).size


def _elements(model):
    """Yields the number of elements of every tensor, also in nested models; unknown dimensions count as 1."""
    if isinstance(model, keras.Sequential):
        model = model._functional
    for operation in getattr(model, "operations", ()):
        for node in operation._inbound_nodes:
            yield from (math.prod(side or 1 for side in tensor.shape) for tensor in node.output_tensors)
        if isinstance(operation, keras.Model):
            yield from _elements(operation)


def _check_numbers(config, largest):
    if isinstance(config, dict):
        if str(config.get("module")).startswith("tl_keras."):
            largest = MAX_OWN_SETTING
        for key, value in config.items():
            if key not in NOT_SIZES:
                _check_numbers(value, min(largest, MAX_GEOMETRY) if key in GEOMETRY else largest)
    elif isinstance(config, list):
        for value in config:
            _check_numbers(value, largest)
    elif isinstance(config, int) and abs(config) > largest:
        raise InputError(
            f"The model has a setting of {config}, beyond {largest}: it is damaged, or made to exhaust the memory."
        )
