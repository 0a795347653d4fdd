"""Splits a model at a cut: a frozen prefix that never changes, and the suffix that a phase trains."""

import itertools

import keras

from tl_keras.models import Detector
from tl_keras.models.blocks import block_of
from tl_keras.models.graph import ordered_nodes
from tl_keras.models.layers_by_block import flatten_layers, layers_by_block
from tl_keras.transfer.activations.packing import pack, packed_tensors, unpack
from tl_keras.transfer.freezing import block_names, trainable_blocks


def find_cuts(model):
    """Finds every point of a model where a single tensor is all that the following layers need.

    The padding mask of a text classifier, an input of every layer, does not count: the suffix takes it as a second
    input.

    Args:
        model: functional `keras.Model`.

    Returns:
        List of (index, Keras tensor), input side first; the index of the last operation before the cut in topological
        order.
    """
    return [(index, live[0]) for index, live in _live_tensors(model, _scheduled_nodes(model)) if len(live) == 1]


def find_phase_cut(model, trainable):
    """Finds the last cut before the first operation that is trainable or random in a phase.

    Dropout inside frozen blocks does not count: a frozen block runs in inference mode. Where the head of an image
    classifier has already pooled earlier blocks, the cut is a vector of the last tensor and the pooled ones, see
    `pack`. The tokens of a text cannot be packed: a text classifier whose head reads several blocks has a cut before
    the first of their ends and one behind the last.

    Args:
        model: functional `keras.Model`.
        trainable: list of the blocks trained in the phase.

    Returns:
        Keras tensor, or None if only the input precedes that operation.
    """
    tensors = _tensors_at_phase_cut(model, trainable)
    return pack(tensors) if tensors else None


def find_cuts_of_phases(model, phases):
    """Finds the cut of each phase, see `find_phase_cut`.

    Args:
        model: functional `keras.Model`.
        phases: list of `Phase`.

    Returns:
        List with a Keras tensor per phase, or None for a phase that has to run the whole model.
    """
    tensors = [_tensors_at_phase_cut(model, trainable_blocks(model, phase.train)) for phase in phases]
    keys = [tuple(map(id, own)) for own in tensors]
    # Phases with the same cut share a tensor, by whose id their activations are cached.
    cuts = {key: pack(own) if own else None for key, own in dict(zip(keys, tensors, strict=True)).items()}
    return [cuts[key] for key in keys]


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
    owners = _owners(model)

    def since(index, cut):
        if not index or cut is None:
            return 0
        before = set().union(*(_blocks_in(layer, owners) for layer in prefix_model(model, cut).layers if layer.weights))
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
    tensors = packed_tensors(cut)
    if len(tensors) > 1:
        packed = keras.Input(cut.shape[1:], dtype=cut.dtype)
        # Calling a model would nest it; keras.Function adds its layers to the new graph.
        return keras.Model(packed, keras.Function(tensors, model.output).call(unpack(packed, tensors)))
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
    return _last_uses(model, _scheduled_nodes(model))[id(mask)] > index


def _tensors_at_phase_cut(model, trainable):
    """Returns the tensors of the last cut before a phase's first operation that is trainable or random; or none."""
    owners, trainable = _owners(model), set(trainable)
    frozen = set(block_names(model)) - trainable
    nodes = _scheduled_nodes(model)

    def is_static(node):
        return _is_static(node.operation, _blocks_in(node.operation, owners), trainable, frozen)

    static = sum(1 for _ in itertools.takewhile(is_static, nodes))
    points = [live for index, live in _live_tensors(model, nodes) if index < static and _is_cut(model, live)]
    return points[-1] if points else []


def _is_cut(model, tensors):
    """Returns whether the tensors are a single one, or one that `pack` joins with pooled vectors of the head."""
    if not tensors or any(tensor is image for tensor in tensors for image in model.inputs):
        return False
    first, *pooled = tensors
    if not pooled:
        return True
    if isinstance(model, Detector) or padding_mask(model) is not None or _is_pooled(first):
        return False
    return all(_is_pooled(tensor) and tensor.dtype == first.dtype for tensor in pooled) and None not in first.shape[1:]


def _is_pooled(tensor):
    return block_of(tensor._keras_history.operation) == "head" and len(tensor.shape) == 2


def _live_tensors(model, nodes):
    """Yields for each node its index and a list of the tensors that later nodes need, the pooled ones last."""
    last_use, mask, live = _last_uses(model, nodes), id(padding_mask(model)), {}
    for index, node in enumerate(nodes):
        live |= {id(tensor): tensor for tensor in node.output_tensors if id(tensor) != mask}
        live = {key: tensor for key, tensor in live.items() if last_use.get(key, -1) > index}
        yield index, sorted(live.values(), key=_is_pooled)


def _scheduled_nodes(model):
    """Lists the nodes in topological order, with those of the head as early as possible.

    Keras places the pooling of every block just before the concatenation, where all the outputs of blocks are live.
    """
    place = {}
    nodes = ordered_nodes(model)
    for index, node in enumerate(nodes):
        inputs = [place[id(tensor)] for tensor in node.input_tensors]
        own = max(inputs, default=index) if block_of(node.operation) == "head" else index
        place |= {id(tensor): own for tensor in node.output_tensors}
    return sorted(nodes, key=lambda node: place[id(node.output_tensors[0])])


def _last_uses(model, nodes):
    """Maps the id of each tensor to the index of the last node that reads it."""
    last_use = {id(tensor): index for index, node in enumerate(nodes) for tensor in node.input_tensors}
    return last_use | {id(tensor): len(nodes) for tensor in model.outputs}


def _is_static(operation, blocks, trainable, frozen):
    if not isinstance(operation, keras.Layer) or blocks <= frozen:
        return True
    draws = any(part._seed_generators for part in flatten_layers(operation))
    return not draws and not (operation.weights and blocks & trainable)


def _owners(model):
    """Maps the id of each layer with weights, also of those in nested models, to its block."""
    return {id(layer): block for block, layers in layers_by_block(model).items() for layer in layers}


def _blocks_in(operation, owners):
    """Returns the blocks that an operation is part of, or that it contains as a nested model."""
    parts = flatten_layers(operation) if isinstance(operation, keras.Layer) else ()
    return {owners[id(part)] for part in parts if id(part) in owners} or {block_of(operation)}
