"""Blocks of a model, and which of them learn.

A block is what freezes and thaws as one. The layers of our own models carry their block in their name,
`block5.conv1`; in any other Keras model each layer that has weights is a block of its own, also inside nested models.
"""

import re

import keras

from tl_keras.errors import InputError, unknown_name
from tl_keras.models import freeze_beside_lora
from tl_keras.models.blocks import block_of

BATCH_NORM_POLICIES = ("inference", "recalibrate", "train")
REGEX_PREFIX = "regex:"


def block_names(model):
    """Lists the blocks of a model that have weights.

    Args:
        model: any built `keras.Model`.

    Returns:
        List of names, input side first. The last one is the head.
    """
    return list(_layers_by_block(model))


def learning_blocks(model, train):
    """Turns the `train` of a phase into the blocks that it means.

    Args:
        model: any built `keras.Model`.
        train: a block (it and every later one), "head" (the last block), "all", a list of blocks (just those), or
            "regex:PATTERN" for the weights whose path the pattern is found in, such as "regex:/bias$".

    Returns:
        List of the blocks that learn, or of which some weights do, input side first.

    Raises:
        InputError: a name is not among the blocks, the list is empty, or the pattern is invalid or matches nothing.
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
    return resolve_blocks(train, block_names(model))


def resolve_blocks(train, blocks):
    """Turns the `train` of a phase into the blocks that it means, from their names alone.

    Args:
        train: a block (it and every later one), "head" (the last block), "all", or a list of blocks (just those).
        blocks: list of all block names, input side first.

    Returns:
        List of the blocks that learn, input side first.

    Raises:
        InputError: a name is not among the blocks, or the list is empty.
    """
    if isinstance(train, str):
        return list(blocks) if train == "all" else list(blocks[_position(train, blocks) :])
    if not train:
        raise InputError("Nothing would be trained: got an empty list of blocks, expected at least one.")
    if "all" in train:
        return list(blocks)
    return [blocks[position] for position in sorted({_position(name, blocks) for name in train})]


def freeze_to(model, train, batch_norm="inference"):
    """Lets the named blocks learn and freezes all others.

    Only flags are set: no weight changes and nothing is compiled. A model compiled before must be compiled again,
    unless `ProgressiveUnfreezing` does it inside `fit`.

    Args:
        model: any built `keras.Model`.
        train: what learns, see `learning_blocks`.
        batch_norm: "inference" keeps every BatchNormalization layer frozen (its statistics, scale and offset) even in
            blocks that learn, so that small batches cannot spoil the statistics, and so does "recalibrate", where a run
            estimates them anew before its first phase; "train" lets them follow their block.

    Returns:
        List of the blocks that learn, input side first.

    Raises:
        InputError: a block or the policy is unknown.
    """
    if batch_norm not in BATCH_NORM_POLICIES:
        raise unknown_name("batch_norm", batch_norm, BATCH_NORM_POLICIES)
    learning, pattern = learning_blocks(model, train), _pattern(train)
    # A frozen parent hides the flags of its children, so all is thawed, and then leaves are only ever frozen: a layer
    # that two blocks share, such as a tied embedding, stays frozen with the one that is.
    model.trainable = False
    model.trainable = True
    for block, members in _layers_by_block(model).items():
        for layer in members:
            if block not in learning:
                layer.trainable = False
            if batch_norm != "train":
                _freeze_batch_norms(layer)
            for variable in layer.trainable_weights if pattern else ():
                variable.trainable = pattern.search(variable.path) is not None
    freeze_beside_lora(model)
    return learning


def variables_by_block(model):
    """Maps each block to its variables.

    Args:
        model: any built `keras.Model`.

    Returns:
        Dict from block name, input side first, to a list of `keras.Variable`, frozen ones and statistics included. The
        states of random generators are not: dropout draws from them whether its block is frozen or not.
    """
    return {block: [v for layer in layers for v in layer.weights] for block, layers in _layers_by_block(model).items()}


def changeable_variables(model):
    """Lists the variables that training may change now: the weights and statistics of every layer that is not frozen.

    Args:
        model: any built `keras.Model`.

    Returns:
        List of `keras.Variable`.
    """
    parts = {id(part): part for layer in _leaf_layers(model) for part in layer._flatten_layers() if part.trainable}
    weights = [v for part in parts.values() for v in part._trainable_variables if v.trainable]
    return weights + [v for part in parts.values() for v in part._non_trainable_variables]


def _pattern(train):
    if not (isinstance(train, str) and train.startswith(REGEX_PREFIX)):
        return None
    try:
        return re.compile(train.removeprefix(REGEX_PREFIX))
    except re.error as error:
        raise InputError(f"{train!r} is no regular expression: {error}.") from error


def _position(name, blocks):
    if name == "head" and "head" not in blocks:
        return len(blocks) - 1
    if name not in blocks:
        raise unknown_name("block", name, [*blocks, "head", "all"])
    return list(blocks).index(name)


def _layers_by_block(model):
    if own := _own_weights(model):
        raise InputError(
            f"The model holds the weight {own[0].path!r} outside its layers: move it into one, so that it can freeze."
        )
    blocks = {}
    for layer in _leaf_layers(model):
        if layer.weights:
            blocks.setdefault(block_of(layer), []).append(layer)
    if not blocks:
        raise InputError("The model has no weights yet: build it first, for example by calling it on a batch.")
    return blocks


def _leaf_layers(model):
    """Walks into nested models, but not into what holds weights beside its layers: that freezes as a whole."""
    for layer in model.layers:
        if isinstance(layer, keras.Model) and not _own_weights(layer):
            yield from _leaf_layers(layer)
        else:
            yield layer


def _own_weights(model):
    return model._trainable_variables + model._non_trainable_variables


def _freeze_batch_norms(layer):
    # A composite layer of the user's own may hold BatchNormalization inside; Keras offers no public way to list it.
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.BatchNormalization):
            part.trainable = False
