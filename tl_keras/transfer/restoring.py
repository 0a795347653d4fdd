"""Context managers that restore variables and layers after a pass that changes them."""

import contextlib


@contextlib.contextmanager
def restored_variables(variables):
    """Restores the values of variables when its block returns or raises.

    Args:
        variables: iterable of `keras.Variable` or `tf.Variable`.
    """
    values = [(variable, variable.numpy()) for variable in variables]
    try:
        yield
    finally:
        for variable, value in values:
            variable.assign(value)


@contextlib.contextmanager
def replaced_calls(layers, make_call):
    """Replaces the `call` method of layers within its block.

    Args:
        layers: list of `keras.Layer` without a `call` of their own instance.
        make_call: function that takes a layer and returns its new `call`.
    """
    for layer in layers:
        layer.call = make_call(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call
