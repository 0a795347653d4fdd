"""Tensors that cross from the tokenizing part of a text classifier to its encoder."""

import keras

from tl_keras.models.graph import ordered_nodes

TOKEN_IDS, SEGMENT_IDS, PADDING_MASK = "token_ids", "segment_ids", "padding_mask"
FRONT = "text.tokenizer"


def is_text_model(model):
    """Returns whether a model takes strings.

    Args:
        model: `keras.Model` of a run.
    """
    return any(tensor.dtype == "string" for tensor in keras.tree.flatten(model.input))


def encoder_inputs(model):
    """Finds the inputs of the encoder inside a text classifier over strings.

    Args:
        model: `keras.Model` of `with_text_input`.

    Returns:
        Dict from `TOKEN_IDS`, `PADDING_MASK` and for some encoders `SEGMENT_IDS` to Keras tensor.
    """
    behind, tensors = set(), {}
    for node in ordered_nodes(model):
        operation = node.operation
        is_behind = any(id(tensor) in behind for tensor in node.input_tensors)
        if not is_behind and ("." not in operation.name or operation.name == FRONT):
            continue
        behind.update(map(id, node.output_tensors))
        for tensor in node.input_tensors:
            if id(tensor) not in behind:
                tensors.setdefault(_role(operation), tensor)
    return tensors


def _role(operation):
    """Returns the name of the input that a layer of the encoder takes from the tokenizing part."""
    if "segment" in operation.name:
        return SEGMENT_IDS
    return TOKEN_IDS if "Embedding" in type(operation).__name__ else PADDING_MASK
