"""Splits a model at a cut: a frozen prefix that never changes, and the suffix that a phase trains."""

import itertools

import keras

from tl_keras.models import Detector
from tl_keras.models.blocks import block_of
from tl_keras.models.graph import ordered_nodes
from tl_keras.transfer.freezing import block_names, trainable_blocks


def find_cuts(model):
    """Finds every point of a model where a single tensor is all that the following layers need.

    The padding mask of a text classifier, an input of every layer, does not count: the suffix takes it as a second
    input.

    Args:
        model: functional `keras.Model`.

    Returns:
        List of (index, Keras tensor), input side first; the index of the last operation before the cut in
        `ordered_nodes`.
    """
    nodes, mask = ordered_nodes(model), id(padding_mask(model))
    last_use = _last_uses(model, nodes)
    cuts, live = [], {}
    for index, node in enumerate(nodes):
        live |= {id(tensor): tensor for tensor in node.output_tensors if id(tensor) != mask}
        live = {key: tensor for key, tensor in live.items() if last_use.get(key, -1) > index}
        if len(live) == 1:
            cuts.append((index, next(iter(live.values()))))
    return cuts


def find_phase_cut(model, trainable):
    """Finds the last cut before the first operation that is trainable or random in a phase.

    Dropout inside frozen blocks does not count: a frozen block runs in inference mode.

    Args:
        model: functional `keras.Model`.
        trainable: list of the blocks trained in the phase.

    Returns:
        Keras tensor, or None if only the input precedes that operation.
    """
    frozen = set(block_names(model)) - set(trainable)
    nodes = ordered_nodes(model)
    static = sum(1 for _ in itertools.takewhile(lambda node: _is_static(node.operation, trainable, frozen), nodes))
    inputs = {id(tensor) for tensor in model.inputs}
    cuts = [tensor for index, tensor in find_cuts(model) if index < static and id(tensor) not in inputs]
    return cuts[-1] if cuts else None


def find_cuts_of_phases(model, phases):
    """Finds the cut of each phase, see `find_phase_cut`.

    Args:
        model: functional `keras.Model`.
        phases: list of `Phase`.

    Returns:
        List with a Keras tensor per phase, or None for a phase that has to run the whole model.
    """
    return [find_phase_cut(model, trainable_blocks(model, phase.train)) for phase in phases]


def settled_since(model, phases, cuts):
    """Finds for each phase the first phase from which the prefix before its cut stays unchanged.

    Args:
        model: functional `keras.Model`.
        phases: list of `Phase`.
        cuts: list of the phases' cuts, from `find_cuts_of_phases`.

    Returns:
        List with the index of that phase for each phase, at most its own. It is 0 for all phases if blocks are
        unfrozen from last to first.
    """
    trainable = [set(trainable_blocks(model, phase.train)) for phase in phases]

    def since(index, cut):
        if not index or cut is None:
            return 0
        before = {block_of(layer) for layer in prefix_model(model, cut).layers if layer.weights}
        return max((number + 1 for number in range(index) if trainable[number] & before), default=0)

    return [since(index, cut) for index, cut in enumerate(cuts)]


def prefix_model(model, cut):
    """Builds the part of a model before a cut; it shares the model's layers and variables.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`, or a list of such tensors.

    Returns:
        `keras.Model` from the model's inputs to the cut.
    """
    return keras.Model(model.input, cut)


def suffix_model(model, cut):
    """Builds the part of a model after a cut; it shares the model's layers and variables.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`.

    Returns:
        `keras.Model` from the cut to the model's output. If the cut `has_tokens`, its input is a list of the cut and
        the padding mask. For a `Detector` the result is a `Detector`.
    """
    if isinstance(model, Detector):
        return model.suffix_model(cut)
    return keras.Model([cut, padding_mask(model)] if has_tokens(model, cut) else cut, model.output)


def padding_mask(model):
    """Returns the padding mask, an input tensor of a text classifier; None for other models."""
    return model.input.get("padding_mask") if isinstance(model.input, dict) else None


def has_tokens(model, cut):
    """Returns whether a cut holds a vector per token, so that the suffix also needs the padding mask.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`.
    """
    mask = padding_mask(model)
    if mask is None:
        return False
    index = next(index for index, tensor in find_cuts(model) if tensor is cut)
    return _last_uses(model, ordered_nodes(model))[id(mask)] > index


def _last_uses(model, nodes):
    """Maps the id of each tensor to the index of the last node that reads it."""
    last_use = {id(tensor): index for index, node in enumerate(nodes) for tensor in node.input_tensors}
    return last_use | {id(tensor): len(nodes) for tensor in model.outputs}


def _is_static(operation, trainable, frozen):
    if not isinstance(operation, keras.Layer):
        return True
    block = block_of(operation)
    if block in frozen:
        return True
    draws = any(part._seed_generators for part in operation._flatten_layers())
    return not draws and not (operation.weights and block in trainable)
