"""Blocks of a model, and which of them are trainable.

A block is frozen or unfrozen as a whole. The layers of our own models carry their block in their name, `block5.conv1`;
in any other Keras model every layer with weights is a block of its own, also inside nested models. Where two models
inside a model have a block of the same name, it is qualified by its model: `base/dense` and `dense`.
"""

import re

import keras

from tl_keras.errors import InputError, unknown_name
from tl_keras.models import freeze_beside_lora
from tl_keras.models.layers_by_block import head_of, layers_by_block, leaf_layers, own_weights

BATCH_NORM_POLICIES = ("inference", "recalibrate", "train")
REGEX_PREFIX = "regex:"


def block_names(model):
    """Lists the blocks of a model that have weights.

    Args:
        model: any built `keras.Model`.

    Returns:
        List of names, input side first. The last one is the head; a model with several outputs has a head for each,
        all at the end.

    Raises:
        InputError: the model has no weights, or a weight outside its layers.
    """
    return list(_layers_by_block(model))


def trainable_blocks(model, train):
    """Resolves the `train` of a phase to a list of blocks.

    Args:
        model: any built `keras.Model`.
        train: a block name (that block and every later one), "head" (the last block, or those before all outputs),
            "all", a list of block names (exactly those), or "regex:PATTERN" for the weights whose path contains a
            match, such as "regex:/bias$".

    Returns:
        List of the blocks that are trainable, completely or in part, input side first.

    Raises:
        InputError: a block is unknown, the list is empty, or the pattern is invalid or matches nothing.
    """
    if pattern := _pattern(train):
        blocks = variables_by_block(model)
        matching = [block for block, members in blocks.items() if any(pattern.search(v.path) for v in members)]
        if not matching:
            example = next(v.path for members in blocks.values() for v in members)
            raise InputError(
                f"The pattern {pattern.pattern!r} matches no weight: expected a part of a path like {example!r}."
            )
        return matching
    return resolve_blocks(train, block_names(model), len(head_of(model)))


def resolve_blocks(train, blocks, num_heads=1):
    """Resolves the `train` of a phase to a list of blocks, without a model.

    Args:
        train: a block name (that block and every later one), "head" (the last blocks), "all", or a list of block names
            (exactly those).
        blocks: list of all block names, input side first.
        num_heads: number of last blocks that are the head if none has that name, default 1.

    Returns:
        List of the trainable blocks, input side first.

    Raises:
        InputError: a block is unknown, or the list is empty.
    """
    if isinstance(train, str):
        return list(blocks) if train == "all" else list(blocks[_positions(train, blocks, num_heads)[0] :])
    if not train:
        raise InputError("Nothing would be trained: got an empty list of blocks, expected at least one.")
    if "all" in train:
        return list(blocks)
    positions = {position for name in train for position in _positions(name, blocks, num_heads)}
    return [blocks[position] for position in sorted(positions)]


def freeze_to(model, train, batch_norm="inference"):
    """Makes the given blocks trainable and freezes all others.

    Only the `trainable` flags are set: no weight changes and nothing is compiled. Compile a model again afterwards,
    unless `ProgressiveUnfreezing` handles it inside `fit`.

    Args:
        model: any built `keras.Model`.
        train: blocks to train: a block name (that block and every later one), "head" (the last block), "all", a list
            of block names (exactly those), or "regex:PATTERN" for the weights whose path contains a match.
        batch_norm: policy for BatchNormalization layers. "inference" (default) keeps them frozen (statistics, scale
            and offset) even in trainable blocks, so that small batches cannot spoil the statistics; "recalibrate" does
            the same, for runs that re-estimate the statistics before the first phase; "train" treats them like any
            layer of their block.

    Returns:
        List of the trainable blocks, input side first.

    Raises:
        InputError: a block or the policy is unknown.
    """
    if batch_norm not in BATCH_NORM_POLICIES:
        raise unknown_name("batch_norm", batch_norm, BATCH_NORM_POLICIES)
    trainable, pattern = trainable_blocks(model, train), _pattern(train)
    # A frozen parent hides the flags of its children, so everything is unfrozen first. Afterwards leaves are only ever
    # frozen: a layer shared by two blocks, such as a tied embedding, is frozen if either block is.
    model.trainable = False
    model.trainable = True
    for block, members in _layers_by_block(model).items():
        for layer in members:
            if block not in trainable:
                layer.trainable = False
            if batch_norm != "train":
                _freeze_batch_norms(layer)
            for variable in layer.trainable_weights if pattern else ():
                variable.trainable = pattern.search(variable.path) is not None
    freeze_beside_lora(model)
    return trainable


def find_batch_norms(model, blocks):
    """Lists the batch normalization layers of blocks, nested ones included.

    Args:
        model: any built `keras.Model`.
        blocks: list of block names.

    Returns:
        List of `keras.layers.BatchNormalization`, each once.
    """
    members = _layers_by_block(model)
    parts = (part for block in blocks for layer in members[block] for part in layer._flatten_layers())
    return list({id(part): part for part in parts if isinstance(part, keras.layers.BatchNormalization)}.values())


def variables_by_block(model):
    """Maps each block to its variables.

    Args:
        model: any built `keras.Model`.

    Returns:
        Dict from block name, input side first, to a list of `keras.Variable`, including frozen ones and statistics.
        States of random generators are excluded: dropout draws from them even in a frozen block.
    """
    return {block: [v for layer in layers for v in layer.weights] for block, layers in _layers_by_block(model).items()}


def changeable_variables(model):
    """Lists the variables that training may change: weights and statistics of every layer that is not frozen.

    Args:
        model: any built `keras.Model`.

    Returns:
        List of `keras.Variable`.
    """
    parts = {id(part): part for layer in leaf_layers(model) for part in layer._flatten_layers() if part.trainable}
    weights = [v for part in parts.values() for v in part._trainable_variables if v.trainable]
    return weights + [v for part in parts.values() for v in part._non_trainable_variables]


def _pattern(train):
    if not (isinstance(train, str) and train.startswith(REGEX_PREFIX)):
        return None
    try:
        return re.compile(train.removeprefix(REGEX_PREFIX))
    except re.error as error:
        raise InputError(f"{train!r} is not a valid regular expression: {error}.") from error


def _positions(name, blocks, num_heads):
    if name == "head" and "head" not in blocks:
        return range(len(blocks) - num_heads, len(blocks))
    if name not in blocks:
        raise unknown_name("block", name, [*blocks, "head", "all"])
    return [list(blocks).index(name)]


def _layers_by_block(model):
    if own := own_weights(model):
        raise InputError(
            f"The model holds the weight {own[0].path!r} outside its layers: move it into a layer, so that it can be "
            "frozen."
        )
    return layers_by_block(model)


def _freeze_batch_norms(layer):
    # A user's composite layer may contain BatchNormalization; Keras has no public function to list its sublayers.
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.BatchNormalization):
            part.trainable = False
