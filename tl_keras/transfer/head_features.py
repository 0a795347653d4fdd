"""Feature vectors at the input of a classifier's head."""

import keras

from tl_keras.errors import InputError
from tl_keras.models.graph import ordered_nodes
from tl_keras.transfer.freezing import variables_by_block


def features_before_head(model):
    """Finds the input of a classifier's head, before its dropout.

    Args:
        model: functional `keras.Model` whose last block is the head, or the part of one after a cut.

    Returns:
        Keras tensor (batch, channels) inside the model.

    Raises:
        InputError: the input of the head is not a vector.
    """
    *_, head = variables_by_block(model).values()
    weights, nodes = set(map(id, head)), ordered_nodes(model)
    node = next(node for node in nodes if weights & set(map(id, getattr(node.operation, "weights", []))))
    features, *others = node.input_tensors
    # Not `Dropout.input`: for a layer shared by several models, that is the tensor of the first model.
    dropout_nodes = {id(node.outputs[0]): node for node in nodes if isinstance(node.operation, keras.layers.Dropout)}
    while id(features) in dropout_nodes:
        features = dropout_nodes[id(features)].input_tensors[0]
    if others or len(features.shape) != 2:
        raise InputError(
            f"The head of {model.name!r} takes "
            f"{', '.join(str(tuple(tensor.shape)) for tensor in (features, *others))}: expected a single vector "
            "(batch, channels), the features to compare; pool them before the head."
        )
    return features
