"""Splits a model at the last point before anything learns: a prefix that never changes, and the suffix that does."""

import itertools

import keras

from tl_keras.transfer.freezing import block_names


def find_cuts(model):
    """Finds every point of a model where a single tensor holds all that the rest needs.

    Args:
        model: functional `keras.Model` with one input.

    Returns:
        List of (index, Keras tensor), input side first; the index is that of the last operation before the cut, in the
        order of `ordered_nodes`.
    """
    nodes = ordered_nodes(model)
    last_use = {id(tensor): index for index, node in enumerate(nodes) for tensor in node.input_tensors}
    last_use |= {id(tensor): len(nodes) for tensor in model.outputs}
    cuts, live = [], {}
    for index, node in enumerate(nodes):
        live |= {id(tensor): tensor for tensor in node.output_tensors}
        live = {key: tensor for key, tensor in live.items() if last_use.get(key, -1) > index}
        if len(live) == 1:
            cuts.append((index, next(iter(live.values()))))
    return cuts


def find_phase_cut(model, learning):
    """Finds the last cut before the first operation that learns or draws random numbers in a phase.

    Dropout inside frozen blocks does not count: a frozen block is computed as in inference.

    Args:
        model: functional `keras.Model` with one input.
        learning: list of the blocks that learn in the phase.

    Returns:
        Keras tensor, or None where nothing but the input lies before that operation.
    """
    frozen = set(block_names(model)) - set(learning)
    nodes = ordered_nodes(model)
    static = sum(1 for _ in itertools.takewhile(lambda node: _is_static(node.operation, learning, frozen), nodes))
    cuts = [(index, tensor) for index, tensor in find_cuts(model) if 0 < index < static]
    return cuts[-1][1] if cuts else None


def split_model(model, cut):
    """Makes the two halves of a model, which share its layers and so its variables.

    Args:
        model: functional `keras.Model`.
        cut: Keras tensor inside it, from `find_phase_cut`.

    Returns:
        Tuple of the prefix, from the model's input to the cut, and the suffix, from the cut to its output.
    """
    return keras.Model(model.input, cut), keras.Model(cut, model.output)


def ordered_nodes(model):
    """Lists a functional model's nodes so that each comes after those that it depends on."""
    by_depth = model._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def _is_static(operation, learning, frozen):
    if not isinstance(operation, keras.Layer):
        return True
    block = operation.name.split(".")[0]
    if block in frozen:
        return True
    draws = any(part._seed_generators for part in operation._flatten_layers())
    return not draws and not (operation.weights and block in learning)
