"""The layers of any Keras model, grouped by block, and the blocks that are its head."""

from collections import Counter

import keras

from tl_keras.errors import InputError
from tl_keras.models.blocks import block_of


def flatten_layers(layer):
    """Lists a layer or model and all layers inside it, recursively.

    Args:
        layer: `keras.Layer` or `keras.Model`.

    Returns:
        List of `keras.Layer`, `layer` first.
    """
    # Keras 3.15 has no public function for it.
    return list(layer._flatten_layers())


def layers_by_block(model):
    """Groups the layers with weights of a model and of its nested models by block.

    Nested models with weights outside their layers count as one layer. Blocks of equal name in different models are
    different blocks; their names are then qualified by their models, as in `base/dense`.

    Args:
        model: built `keras.Model`.

    Returns:
        Dictionary from block name to the list of its layers, in the order of the model, the head last.

    Raises:
        InputError: the model has no weights yet.
    """
    blocks = _blocks_in_order(model)
    if not blocks:
        raise InputError("The model has no weights yet: build it first, for example by calling it on a batch.")
    if not model.built:
        raise InputError(
            "A part of the model has no weights yet: build it first, for example by calling it on a batch."
        )
    # A head in the middle of the model, such as an auxiliary classifier, is trained with the others.
    head = _head_of(model, blocks)
    return {name: blocks[name] for name in sorted(blocks, key=head.__contains__)}


def head_of(model):
    """Lists the blocks that are the head of a model.

    Args:
        model: built `keras.Model`.

    Returns:
        List of the names of the last blocks: the block "head" and all later ones, or else the block of the last layer
        with weights before each output, except those that the head of another output depends on.
    """
    blocks = layers_by_block(model)
    return [name for name in blocks if name in _head_of(model, blocks)]


def leaf_layers(model):
    """Yields the layers of a model and of its nested models, except nested ones with weights outside their layers.

    Args:
        model: `keras.Model`.

    Yields:
        `keras.Layer`; a nested model with weights outside its layers as a whole.
    """
    for _, layer in _leaves(model):
        yield layer


def own_weights(model):
    """Lists the variables that a model holds outside its layers."""
    return model._trainable_variables + model._non_trainable_variables


def _leaves(model, owners=()):
    """Yields each leaf layer after the tuple of the nested models that contain it."""
    for layer in model.layers:
        if _is_nest(layer):
            yield from _leaves(layer, (*owners, layer))
        else:
            yield owners, layer


def _blocks_in_order(model):
    groups, places, used = {}, {}, Counter()
    for owners, layer in _leaves(model):
        if not layer.weights or id(layer) in places:
            continue
        path = tuple(map(id, owners))
        # A subclass may hold two layers of the same name; only `BLOCK.LAYER` states that layers belong together.
        number = used[path, layer.name]
        used[path, layer.name] += 1
        key = places[id(layer)] = path, block_of(layer), number
        groups.setdefault(key, (owners, []))[1].append(layer)
    counts, blocks = Counter(block for _, block, _ in groups), {}
    for (_, block, _), (owners, layers) in groups.items():
        name = block if counts[block] == 1 else "/".join([*(owner.name for owner in owners), block])
        same = sum(other.split("#")[0] == name for other in blocks)
        blocks[f"{name}#{same + 1}" if same else name] = layers
    return blocks


def _head_of(model, blocks):
    names = list(blocks)
    if "head" in blocks:
        return names[names.index("head") :]
    last = set(map(id, _last_layers(model)))
    return [name for name, layers in blocks.items() if last & set(map(id, layers))] or names[-1:]


def _last_layers(model):
    """Lists the last leaf layer with weights before each output, unless another one depends on it."""
    weighted = [layer for layer in leaf_layers(model) if layer.weights]
    if len(outputs := getattr(model, "outputs", None) or ()) < 2:
        return weighted[-1:]
    before = [
        [part for part in keras.Function(model.inputs, output).operations if getattr(part, "weights", None)]
        for output in outputs
    ]
    last = {id(parts[-1]): parts[-1] for parts in before if parts}
    heads = [part for part in last.values() if not any(part in parts[:-1] for parts in before)]
    return [leaf for part in heads for leaf in (_last_layers(part) if _is_nest(part) else [part])]


def _is_nest(layer):
    return isinstance(layer, keras.Model) and not own_weights(layer)
