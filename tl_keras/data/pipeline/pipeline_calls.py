"""Calls of Python from a `tf.data` pipeline that let go of their data when the pipeline is gone.

TensorFlow 2.21 keeps what `tf.numpy_function` is given until the process ends, and with it whole data sets. So it is
given a weak reference here, and the pipeline itself holds the function.

And TensorFlow makes errors of its own of those that a function raises: those that are for the user are kept here.
"""

import contextlib
import weakref

import tensorflow as tf

from tl_keras.errors import InputError

_RAISED = []


def call_python(function, inputs, types):
    """Calls a function of arrays inside of a `map`; the dataset must be given to `holding`.

    Args:
        function: takes NumPy arrays and returns NumPy arrays; what it returns depends on these arrays alone.
        inputs: list of tensors.
        types: list of the dtypes that it returns.

    Returns:
        List of tensors, of unknown shape.
    """
    held = weakref.ref(function)

    def call(*arrays):
        try:
            return held()(*arrays)
        except InputError as error:
            _RAISED.append(error)
            raise

    return tf.numpy_function(call, inputs, types, stateful=False)


def holding(dataset, function):
    """Lets a dataset, and what is made of it, hold a function that it calls.

    Args:
        dataset: `tf.data.Dataset`.
        function: what was given to `call_python`.

    Returns:
        The same dataset.
    """
    dataset.calls_python = function
    return dataset


@contextlib.contextmanager
def own_errors():
    """Raises an `InputError` of a function that a pipeline called as itself, not as what TensorFlow made of it."""
    _RAISED.clear()
    try:
        yield
    except tf.errors.OpError as error:
        if not _RAISED:
            raise
        raise _RAISED[0] from error
    finally:
        _RAISED.clear()
