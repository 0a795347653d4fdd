"""Calls of Python from a `tf.data` pipeline that release their data with the pipeline and keep errors for users.

TensorFlow 2.21 keeps every function of `tf.numpy_function` until the process ends, and with it whole data sets.
Therefore it gets a weak reference here, and the dataset itself holds the function.

TensorFlow also wraps exceptions of such a function into its own; an `InputError` is stored here and raised again.
"""

import contextlib
import weakref

import tensorflow as tf

from tl_keras.errors import InputError

_RAISED = []


def call_python(function, inputs, types):
    """Calls a function of arrays in a `map` of a dataset, which must be passed to `hold_function`.

    Args:
        function: function from NumPy arrays to NumPy arrays, which depends on its arguments only.
        inputs: list of tensors, the arguments.
        types: list of the dtypes of the results.

    Returns:
        List of tensors of unknown shape.
    """
    reference = weakref.ref(function)

    def call(*arrays):
        try:
            return reference()(*arrays)
        except InputError as error:
            _RAISED.append(error)
            raise

    return tf.numpy_function(call, inputs, types, stateful=False)


def hold_function(dataset, function):
    """Keeps a function alive as long as a dataset, or a dataset derived from it.

    Args:
        dataset: `tf.data.Dataset`.
        function: the function of `call_python`.

    Returns:
        The same dataset.
    """
    dataset.calls_python = function
    return dataset


@contextlib.contextmanager
def raise_input_errors():
    """Raises the `InputError` of a function in a pipeline in place of TensorFlow's error around it."""
    _RAISED.clear()
    try:
        yield
    except tf.errors.OpError as error:
        if not _RAISED:
            raise
        raise _RAISED[0] from error
    finally:
        _RAISED.clear()
