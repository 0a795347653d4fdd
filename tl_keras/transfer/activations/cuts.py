"""Splits a model at the last point before anything learns: a prefix that never changes, and the suffix that does."""

import itertools

import keras

from tl_keras.models import Detector
from tl_keras.transfer.freezing import block_names, learning_blocks


def find_cuts(model):
    """Finds every point of a model where a single tensor holds all that the rest needs.

    The padding mask of a text classifier, an input that every layer asks for, does not count: it is carried along.

    Args:
        model: functional `keras.Model`.

    Returns:
        List of (index, Keras tensor), input side first; the index is that of the last operation before the cut, in the
        order of `ordered_nodes`.
    """
    nodes, carried = ordered_nodes(model), id(padding_mask(model))
    last_use = _last_uses(model, nodes)
    cuts, live = [], {}
    for index, node in enumerate(nodes):
        live |= {id(tensor): tensor for tensor in node.output_tensors if id(tensor) != carried}
        live = {key: tensor for key, tensor in live.items() if last_use.get(key, -1) > index}
        if len(live) == 1:
            cuts.append((index, next(iter(live.values()))))
    return cuts


def find_phase_cut(model, learning):
    """Finds the last cut before the first operation that learns or draws random numbers in a phase.

    Dropout inside frozen blocks does not count: a frozen block is computed as in inference.

    Args:
        model: functional `keras.Model`.
        learning: list of the blocks that learn in the phase.

    Returns:
        Keras tensor, or None where nothing but the input lies before that operation.
    """
    frozen = set(block_names(model)) - set(learning)
    nodes = ordered_nodes(model)
    static = sum(1 for _ in itertools.takewhile(lambda node: _is_static(node.operation, learning, frozen), nodes))
    inputs = {id(tensor) for tensor in model.inputs}
    cuts = [tensor for index, tensor in find_cuts(model) if index < static and id(tensor) not in inputs]
    return cuts[-1] if cuts else None


def find_cuts_of_phases(model, phases):
    """Finds for each phase the last point of a model before anything learns in it.

    Args:
        model: functional `keras.Model`.
        phases: list of `Phase`.

    Returns:
        List of a Keras tensor for each phase, or None where the whole model has to run.
    """
    return [find_phase_cut(model, learning_blocks(model, phase.train)) for phase in phases]


def settled_since(model, phases, cuts):
    """Tells since when what lies before the cut of each phase is as that phase finds it.

    Args:
        model: functional `keras.Model`.
        phases: list of `Phase`.
        cuts: what `find_cuts_of_phases` returned for them.

    Returns:
        List of an int for each phase: the first phase that finds it so, itself at the latest. Where blocks thaw last to
        first, it is 0 for all.
    """
    learning = [set(learning_blocks(model, phase.train)) for phase in phases]

    def since(index, cut):
        if not index or cut is None:
            return 0
        before = {layer.name.split(".")[0] for layer in prefix_model(model, cut).layers if layer.weights}
        return max((number + 1 for number in range(index) if learning[number] & before), default=0)

    return [since(index, cut) for index, cut in enumerate(cuts)]


def prefix_model(model, cut):
    """Makes the first half of a model, which shares its layers and so its variables.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`, or a list of such.

    Returns:
        `keras.Model` from the model's inputs to the cut.
    """
    return keras.Model(model.input, cut)


def suffix_model(model, cut):
    """Makes the second half of a model, which shares its layers and so its variables.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`.

    Returns:
        `keras.Model` from the cut to the model's output; where the cut `has_tokens`, from a list of it and the padding
        mask. The second half of a `Detector` is one.
    """
    if isinstance(model, Detector):
        return model.behind(cut)
    return keras.Model([cut, padding_mask(model)] if has_tokens(model, cut) else cut, model.output)


def padding_mask(model):
    """Returns the Keras tensor that says where tokens are, an input of a text classifier; None for other models."""
    return model.input.get("padding_mask") if isinstance(model.input, dict) else None


def has_tokens(model, cut):
    """Says whether a cut holds a vector for each token, so that the rest needs the padding mask, too.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`.

    Returns:
        A bool.
    """
    mask = padding_mask(model)
    if mask is None:
        return False
    index = next(index for index, tensor in find_cuts(model) if tensor is cut)
    return _last_uses(model, ordered_nodes(model))[id(mask)] > index


def ordered_nodes(model):
    """Lists a functional model's nodes so that each comes after those that it depends on."""
    by_depth = model._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def _last_uses(model, nodes):
    """Maps the id of each tensor to the index of the last node that reads it."""
    last_use = {id(tensor): index for index, node in enumerate(nodes) for tensor in node.input_tensors}
    return last_use | {id(tensor): len(nodes) for tensor in model.outputs}


def _is_static(operation, learning, frozen):
    if not isinstance(operation, keras.Layer):
        return True
    block = operation.name.split(".")[0]
    if block in frozen:
        return True
    draws = any(part._seed_generators for part in operation._flatten_layers())
    return not draws and not (operation.weights and block in learning)
