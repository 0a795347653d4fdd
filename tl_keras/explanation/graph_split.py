"""Splits a model at a tensor, to compute gradients with respect to it."""

import keras

from tl_keras.models.graph import ordered_nodes


def split_at(model, tensor, output):
    """Splits a functional model at one of its tensors; both parts share its layers.

    Args:
        model: functional `keras.Model`.
        tensor: Keras tensor inside it.
        output: Keras tensor behind it.

    Returns:
        Tuple of two `keras.Function`. The first one takes what the model takes and returns a list of the tensor and of
        the others that the second one needs; that takes the list and returns the output.
    """
    behind, others = {id(tensor)}, {}
    for node in ordered_nodes(model):
        if behind & set(map(id, node.input_tensors)):
            others |= {id(one): one for one in node.input_tensors if id(one) not in behind}
            behind |= set(map(id, node.output_tensors))
    front = keras.Function(model.input, [tensor, *others.values()])
    return front, keras.Function([tensor, *others.values()], output)
