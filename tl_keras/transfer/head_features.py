"""The vectors that the head of a classifier decides by."""

import keras

from tl_keras.errors import InputError
from tl_keras.transfer.activations.cuts import ordered_nodes
from tl_keras.transfer.freezing import variables_by_block


def features_before_head(model):
    """Finds what the head of a classifier takes, before its dropout.

    Args:
        model: functional `keras.Model` whose last block is the head; also the part of one behind a cut.

    Returns:
        Keras tensor (batch, channels) inside the model.

    Raises:
        InputError: the head takes no vector.
    """
    *_, head = variables_by_block(model).values()
    weights, nodes = set(map(id, head)), ordered_nodes(model)
    node = next(node for node in nodes if weights & set(map(id, getattr(node.operation, "weights", []))))
    features, *others = node.input_tensors
    # Not by `Dropout.input`: of a layer in several models, that is the tensor of the first one.
    dropped = {id(node.outputs[0]): node for node in nodes if isinstance(node.operation, keras.layers.Dropout)}
    while id(features) in dropped:
        features = dropped[id(features)].input_tensors[0]
    if others or len(features.shape) != 2:
        raise InputError(
            f"What is compared are the vectors before the head, but the head of {model.name!r} takes "
            f"{', '.join(str(tuple(tensor.shape)) for tensor in (features, *others))}: expected blocks before it that "
            "end in one (batch, channels)."
        )
    return features
