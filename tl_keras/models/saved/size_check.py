"""Works out how large a model would be, without making it: a file of a few kilobytes can ask for gigabytes."""

import copy
import math
from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from tl_keras.errors import InputError

SLACK_BYTES = 1_000_000
"""What variables may have beyond the stored arrays, such as the states of random generators."""
MAX_ELEMENTS = 2**28
"""Most numbers of any tensor of the graph for one example: 1 GiB in float32."""
LARGEST_SETTING = 2**24
"""Largest whole number in a setting of a layer; vocabularies have less."""
LARGEST_OWN_SETTING = 2**14
"""The same for the layers of this project, some of which make arrays of these sizes at once."""
GEOMETRY = ("dilation_rate", "kernel_size", "n", "padding", "pool_size", "size", "strides")
LARGEST_GEOMETRY = 2**10
"""Largest whole number in the settings of these names, which could blow up images of unknown sides."""
NOT_SIZES = ("seed", "shared_object_id")
UNBUILDABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, tf.errors.OpError)


def check_declared_sizes(config, stored_bytes):
    """Builds a model from its configuration in shapes alone and compares it with what the file holds.

    Args:
        config: configuration of known classes, see `check_classes`.
        stored_bytes: bytes of the arrays in the file.

    Raises:
        InputError: it declares more than the file holds, or tensors that fill the memory, or cannot be built.
    """
    _check_numbers(config, LARGEST_SETTING)
    # Keras notes variables that were not filled for its thread; with the thread they are gone.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_check_shapes, config, stored_bytes).result()


def _check_shapes(config, stored_bytes):
    with keras.StatelessScope(initialize_variables=False):
        try:
            # Keras takes apart what it is given.
            model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
            declared = sum(math.prod(variable.shape) * _bytes_of(variable) for variable in model.variables)
            largest = max(_elements(model), default=0)
        except UNBUILDABLE as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise InputError(f"The model cannot be built ({reason}): expected one that this project saved.") from error
    if declared > stored_bytes + SLACK_BYTES:
        raise InputError(
            f"The model declares {declared / 1e6:,.1f} MB of weights, but its file holds {stored_bytes / 1e6:,.1f} MB: "
            "it is damaged, or made to fill the memory."
        )
    if largest > MAX_ELEMENTS:
        raise InputError(
            f"The model computes a tensor of {largest:,} numbers for each example, more than {MAX_ELEMENTS:,}: it is "
            "damaged, or made to fill the memory."
        )


def _bytes_of(variable):
    return tf.as_dtype(variable.dtype).size


def _elements(model):
    """Yields the numbers of every tensor of known shape, of nested models, too; unknown sides count as 1."""
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
            largest = LARGEST_OWN_SETTING
        for key, value in config.items():
            if key not in NOT_SIZES:
                _check_numbers(value, min(largest, LARGEST_GEOMETRY) if key in GEOMETRY else largest)
    elif isinstance(config, list):
        for value in config:
            _check_numbers(value, largest)
    elif isinstance(config, int) and abs(config) > largest:
        raise InputError(
            f"The model has a setting of {config}, beyond {largest}: it is damaged, or made to fill memory."
        )
