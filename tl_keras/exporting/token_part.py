"""The part of a text classifier that takes token ids, cut out of the model over strings."""

import keras

from tl_keras.errors import InputError
from tl_keras.models.graph import ordered_nodes

TOKEN_IDS, SEGMENT_IDS, PADDING_MASK = "token_ids", "segment_ids", "padding_mask"
FRONT = "text.tokenizer"


def token_part(model):
    """Builds the part of a text classifier behind its tokenizer.

    Args:
        model: `keras.Model` of `with_text_input`, over strings and with one window.

    Returns:
        `keras.Model` that shares its layers. In: `token_ids`, `padding_mask` and for some encoders `segment_ids`, int32
        (batch, tokens). Out: as the model.

    Raises:
        InputError: the part has other inputs, as that of a model with windows.
    """
    tensors = _inputs_of_encoder(model)
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in tensors}
    try:
        outputs = keras.Function(list(tensors.values()), model.output).call(list(inputs.values()))
    # Keras raises it where the outputs need more than these tensors.
    except ValueError as error:
        raise InputError(
            "The tokenizer cannot be separated from this model: export it as savedmodel, which contains the tokenizer."
        ) from error
    return keras.Model(inputs, outputs, name=model.name)


def _inputs_of_encoder(model):
    """Returns dict from the name of an input to the tensor that crosses from the tokenizing part to the encoder."""
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
