"""Tensors that layers compute inside, which the graph of a model does not show."""

import math

import keras
from tensorflow.python.framework import op_callbacks

SEPARABLE = "SeparableConv2D"
"""Layer of Keras without layers inside that computes a larger tensor than its output."""
NOT_COMPUTED = ("Const", "Placeholder", "ReadVariableOp", "VarHandleOp")
"""Operations of TensorFlow that return weights and inputs."""
MAX_REMEMBERED = 1_000
_remembered = {}
"""Largest tensor by class, configuration and inputs, since models repeat blocks, and are measured more than once."""


def largest_inside(operation, node):
    """Finds the largest tensor that an operation computes for one example.

    The layer is traced with a batch of one example; nothing is computed.

    Args:
        operation: layer or other operation of a functional `keras.Model`.
        node: its `Node`, one of its calls.

    Returns:
        Number of elements; unknown dimensions count as 1. 0 for an operation whose output is its largest tensor.
    """
    if isinstance(operation, keras.layers.Resizing) and operation.pad_to_aspect_ratio:
        return _padded_size(operation, node.input_tensors[0].shape)
    is_tokenizer = any(tensor.dtype == "string" for tensor in node.input_tensors)
    if not isinstance(operation, keras.Layer) or is_tokenizer or not _hides_tensors(operation):
        return 0
    arguments = keras.tree.map_structure(_one_example, (node.arguments.args, node.arguments.kwargs))
    key = type(operation), repr(_settings(operation)), repr(arguments)
    if key not in _remembered:
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[key] = _trace(operation, *arguments)
    return _remembered[key]


def _padded_size(layer, shape):
    """Counts the elements of images that are padded to another aspect ratio, by sizes that a trace does not know."""
    height, width, *channels = (side or 1 for side in shape[1:])
    ratio = layer.width / layer.height
    return math.ceil(max(height, width / ratio)) * math.ceil(max(width, height * ratio)) * math.prod(channels)


def _hides_tensors(layer):
    is_own = not type(layer).__module__.startswith("keras.")
    return is_own or type(layer).__name__ == SEPARABLE or any(layer._flatten_layers(include_self=False))


def _settings(layer):
    return {name: value for name, value in layer.get_config().items() if name != "name"}


def _one_example(value):
    if isinstance(value, keras.KerasTensor):
        # Without its name, which differs between equal blocks.
        return keras.KerasTensor((1, *value.shape[1:]), value.dtype, name="one")
    return value


def _trace(layer, arguments, named):
    largest = 0

    def note(kind, inputs, attributes, outputs, op_name=None, graph=None):
        nonlocal largest
        if kind not in NOT_COMPUTED:
            known = [tensor.shape for tensor in outputs if tensor.shape.rank is not None]
            largest = max([largest, *(math.prod(side or 1 for side in shape) for shape in known)])

    op_callbacks.add_op_callback(note)
    try:
        _Call(layer).compute_output_spec(*arguments, **named)
    finally:
        op_callbacks.remove_op_callback(note)
    return largest


class _Call(keras.Operation):
    """Calls a layer; unlike those of layers, its output is always found by tracing."""

    def __init__(self, layer):
        super().__init__()
        self._layer = layer

    def call(self, *arguments, **named):
        """Calls the layer."""
        return self._layer(*arguments, **named)
