"""Check of the memory that a model would need: a file of a few kilobytes can declare gigabytes."""

import copy
import math

import keras
import tensorflow as tf

from tl_keras.errors import MAX_QUOTED, InputError, counted, first_line, quoted
from tl_keras.models.saved.memory import measure_tensors
from tl_keras.system.budget import Budget, OverBudget

SLACK_BYTES = 1_000_000
"""Bytes that variables may have beyond the stored arrays, e.g. for the states of random generators."""
MAX_ELEMENTS = 2**28
"""Maximum elements of a tensor of the graph for one example: 1 GiB in float32."""
MAX_SETTING = 2**24
"""Maximum integer in a setting of a layer, above the size of every vocabulary."""
MAX_OWN_SETTING = 2**14
"""Maximum number in a setting of a layer of this project; arrays that layers compute from several settings have limits
of their own, such as `MAX_ANCHORS`."""
GEOMETRY = ("dilation_rate", "kernel_size", "n", "padding", "pool_size", "size", "strides")
MAX_GEOMETRY = 2**10
"""Maximum integer in the settings named in `GEOMETRY`, which could enlarge images of unknown size."""
DAMAGED = "it is damaged, or made to exhaust the memory"
NOT_SIZES = ("seed", "shared_object_id")
UNBUILDABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, tf.errors.OpError)


def check_declared_sizes(config, stored_bytes, budget=None):
    """Builds a model symbolically and compares its size with the arrays in the file.

    Args:
        config: configuration that passed `check_classes`.
        stored_bytes: number of bytes of the arrays in the file.
        budget: `Budget` for the time that it takes; None takes a new one.

    Raises:
        InputError: the model declares more weights than the file holds, or too large tensors, or cannot be built.
    """
    _check_numbers(config, MAX_SETTING, DAMAGED)
    # Keras records uninitialized variables per thread; the record ends with the thread.
    try:
        (budget or Budget()).run(_check_shapes, config, stored_bytes)
    except OverBudget as error:
        raise InputError(f"The model cannot be built ({error}): expected one that this project saved.") from error


def check_built_sizes(model):
    """Checks before a model is trained that `check_declared_sizes` will accept it once it is saved.

    Args:
        model: functional `keras.Model`.

    Raises:
        InputError: a tensor or a setting is too large.
    """
    advice = "give a smaller --data.image_size, or another model"
    _check_largest(measure_tensors(model).largest, advice)
    for layer in model.layers:
        _check_numbers(keras.saving.serialize_keras_object(layer), MAX_SETTING, advice)


def _check_shapes(config, stored_bytes):
    with keras.StatelessScope(initialize_variables=False):
        try:
            # Keras modifies the configuration.
            model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
            declared = sum(math.prod(variable.shape) * _bytes_of(variable) for variable in model.variables)
            largest = measure_tensors(model).largest
        except UNBUILDABLE as error:
            reason = first_line(error)[:MAX_QUOTED]
            raise InputError(f"The model cannot be built ({reason}): expected one that this project saved.") from error
    if declared > stored_bytes + SLACK_BYTES:
        raise InputError(
            f"The model declares {declared / 1e6:,.1f} MB of weights, but its file holds {stored_bytes / 1e6:,.1f} MB: "
            f"{DAMAGED}."
        )
    _check_largest(largest, DAMAGED)


def _check_largest(largest, advice):
    if largest > MAX_ELEMENTS:
        raise InputError(
            f"The model computes a tensor of {counted(largest, 'number')} for each example, more than "
            f"{MAX_ELEMENTS:,}: {advice}."
        )


def _bytes_of(variable):
    return tf.as_dtype(variable.dtype).size


def _check_numbers(config, largest, advice):
    if isinstance(config, dict):
        is_own = str(config.get("module")).startswith("tl_keras.")
        largest = MAX_OWN_SETTING if is_own else largest
        for key, value in config.items():
            if key == "build_config" or config.get("class_name") == "__keras_tensor__":
                _check_tensor_shapes(value, advice)
            elif key not in NOT_SIZES:
                _check_numbers(value, min(largest, MAX_GEOMETRY) if key in GEOMETRY else largest, advice)
    elif isinstance(config, list | tuple):
        for value in config:
            _check_numbers(value, largest, advice)
    # Settings of Keras may be large fractions, such as the logits of masks, but sizes of own layers may be fractions.
    elif isinstance(config, int | float if largest <= MAX_OWN_SETTING else int) and not abs(config) <= largest:
        raise InputError(f"The model has a setting of {quoted(config)}, beyond {largest}: {advice}.")


def _check_tensor_shapes(config, advice):
    """Checks shapes of tensors, whose sides have no limit of their own: one is the number of anchors, for example."""
    if isinstance(config, dict | list | tuple):
        parts = config.values() if isinstance(config, dict) else config
        elements = 1
        for part in parts:
            _check_tensor_shapes(part, advice)
            elements *= max(abs(part), 1) if isinstance(part, int) else 1
            # Checked at each side, because the product of a long list would take minutes.
            _check_largest(elements, advice)
