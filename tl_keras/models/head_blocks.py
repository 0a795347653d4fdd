"""The blocks of a backbone that the head of a classifier reads, and their columns in its features."""

import keras

from tl_keras.errors import InputError, counted, unknown_name
from tl_keras.models.blocks import block_of
from tl_keras.models.graph import ordered_nodes

PREPROCESSING = "preprocessing"


def block_outputs(backbone, head_blocks):
    """Finds the outputs of the blocks that a head reads.

    The output of a block is the tensor that later blocks read; that of the last block is the output of the backbone.

    Args:
        backbone: functional `keras.Model` with layers named `BLOCK.LAYER` and one output.
        head_blocks: "last", "all", or a list of block names in any order; the block `preprocessing` has no output.

    Returns:
        Dictionary from block name, input side first, to Keras tensor.

    Raises:
        InputError: a block is unknown, or later blocks read several tensors of it.
    """
    outputs = block_tensors(backbone)
    if isinstance(head_blocks, str):
        head_blocks = list(outputs) if head_blocks == "all" else list(outputs)[-1:]
    for block in head_blocks:
        if block not in outputs:
            raise unknown_name("block in model.head_blocks", block, outputs)
        if len(outputs[block]) > 1:
            raise InputError(
                f"model.head_blocks contains {block}, but later blocks of {backbone.name!r} read "
                f"{counted(len(outputs[block]), 'tensor')} of it, expected one: list other blocks, or take last."
            )
    return {block: tensors[0] for block, tensors in outputs.items() if block in head_blocks}


def head_columns(model):
    """Finds the columns of each block in the features before the head of a classifier.

    Args:
        model: `keras.Model` from `build_image_classifier` or `build_text_classifier`, also a saved and opened one.

    Returns:
        Dictionary from block name, input side first, to a slice of the features (batch, channels); for
        `head_blocks="last"` a single entry.

    Raises:
        InputError: the model has no head of this project.
    """
    names = {layer.name for layer in model.layers}
    if "head.logits" not in names:
        raise InputError(f"The model {model.name!r} has no layer head.logits, expected a classifier of tl_keras.")
    features = _without_dropout(model.get_layer("head.hidden" if "head.hidden" in names else "head.logits").input)
    is_joined = isinstance(_source(features), keras.layers.Concatenate)
    columns, start = {}, 0
    for part in _source(features).input if is_joined else [features]:
        block, stop = _block_before_head(part), start + part.shape[-1]
        # The average and the maximum of a block are neighbours.
        columns[block] = slice(columns[block].start if block in columns else start, stop)
        start = stop
    return columns


def block_tensors(backbone):
    """Maps each block to its tensors that other blocks read or that the model returns.

    Args:
        backbone: functional `keras.Model` with layers named `BLOCK.LAYER`.

    Returns:
        Dictionary from block name, input side first, to a list of Keras tensors.
    """
    reads = [(tensor, node.operation) for node in ordered_nodes(backbone) for tensor in node.input_tensors]
    leaving = [tensor for tensor, reader in reads if _is_named(reader) and _block(tensor) != block_of(reader)]
    tensors = {}
    for tensor in [*leaving, *backbone.outputs]:
        # Inputs of a text encoder and the relative positions of a DeBERTa belong to no block.
        if _is_named(_source(tensor)) and _block(tensor) != PREPROCESSING:
            tensors.setdefault(_block(tensor), {})[id(tensor)] = tensor
    return {block: list(own.values()) for block, own in tensors.items()}


def _without_dropout(tensor):
    return _source(tensor).input if isinstance(_source(tensor), keras.layers.Dropout) else tensor


def _block_before_head(tensor):
    """Returns the block whose output became a pooled vector."""
    while not _is_named(_source(tensor)) or _block(tensor) == "head":
        # A pooling of tokens also takes the padding mask.
        tensor = keras.tree.flatten(_source(tensor).input)[0]
    return _block(tensor)


def _is_named(operation):
    return "." in operation.name


def _block(tensor):
    return block_of(_source(tensor))


def _source(tensor):
    return tensor._keras_history.operation
