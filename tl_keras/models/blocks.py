"""Names of layers that state their block, such as `block5.conv1`.

The block is stored in the name alone, so it survives saving, loading and cloning, and needs no table.
"""

import itertools
import math
import re

import keras


def block_of(layer):
    """Returns the name of the block that a layer belongs to, the part of its name before the first dot.

    Args:
        layer: layer, operation or any other object whose `name` is `BLOCK.LAYER`.

    Returns:
        str; the whole name where it has no dot.
    """
    return layer.name.split(".")[0]


def is_automatic(operation):
    """Checks whether Keras generated a layer's name: its class name, optionally with a number."""
    return _base(operation).replace("_", "") == _class_name(operation)


def creation_names(network):
    """Computes the names that the layers would have in a fresh process.

    Keras numbers unnamed layers across the whole process: the second InceptionV3 starts with `conv2d_94`. The numbers
    within one network are always the same.

    Args:
        network: functional `keras.Model`.

    Returns:
        Dictionary from that name to the layer or operation, in the order of creation.
    """
    counts, names, first = {}, {}, {}
    for operation in filter(is_automatic, network.operations):
        base = _base(operation)
        first[base] = min(_number(operation), first.get(base, math.inf))
    for operation in sorted(network.operations, key=lambda one: _number(one) - first.get(_base(one), 0)):
        name = operation.name
        if is_automatic(operation):
            base = _base(operation)
            count = counts[base] = counts.get(base, -1) + 1
            name = f"{base}_{count}" if count else base
        names[name] = operation
    return names


def blocks_of(network, ends):
    """Assigns every layer to the first block whose end depends on it.

    Args:
        network: functional `keras.Model` with one input.
        ends: list of (block name, Keras tensor at the end of the block), input side first; the last is the output.

    Returns:
        Dictionary from layer name to block name.
    """
    blocks = {}
    for block, end in ends:
        for operation in keras.Model(network.inputs, end).operations:
            blocks.setdefault(operation.name, block)
    return blocks


def copy_with_block_names(network, blocks, front, *, name):
    """Copies a network and its weights behind `front` and names each layer `BLOCK.LAYER`.

    Nested `Sequential` models are flattened. Layers of `front` belong to the block `preprocessing`.

    Args:
        network: functional `keras.Model` with one input and one output, built.
        blocks: dictionary from layer name to block name, from `blocks_of`.
        front: functional `keras.Model` whose output is the network's input.
        name: name of the new model.

    Returns:
        Flat functional `keras.Model` from the input of `front` to the output of the network. Its names are the same in
        every process. It shares no variables with `network`.
    """
    names = _new_names(front, {operation.name: "preprocessing" for operation in front.operations})
    names |= _new_names(network, blocks)
    copies = []

    def copy(operation):
        if isinstance(operation, keras.Sequential):
            return [copy(layer) for layer in operation.layers]
        new = type(operation).from_config({**operation.get_config(), "name": names[operation.name]})
        copies.append((operation, new))
        return new

    # Calling the network would nest it; keras.Function joins the two graphs into one.
    joined = keras.Function(network.input, network.output).call(front.output)
    model = keras.Model(front.input, joined, name=name)
    model = keras.models.clone_model(model, clone_function=copy, call_function=_call)
    for old, new in copies:
        if isinstance(old, keras.Layer) and old.weights:
            new.set_weights(old.get_weights())
    return model


def _call(operation, *arguments, **options):
    if not isinstance(operation, list):
        return operation(*arguments, **options)
    (outputs,) = arguments
    for layer in operation:
        outputs = layer(outputs)
    return outputs


def _new_names(network, blocks):
    names, used_names = {}, set()
    for operation in creation_names(network).values():
        if operation.name not in blocks:  # the network's own input, which the copy does not have
            continue
        block = blocks[operation.name]
        parts = operation.layers if isinstance(operation, keras.Sequential) else [operation]
        for part in parts:
            names[part.name] = _unique(f"{block}.{_short_name(part, block, network.name)}", used_names)
    return names


def _short_name(operation, block, network_name):
    """Removes the network's and the block's name from a layer's own name."""
    if is_automatic(operation):
        return _base(operation)
    name = operation.name.removeprefix(f"{network_name}_")
    pattern = re.sub(r"(\d+)$", r"_?\1", re.escape(block))
    short = re.sub(rf"^{pattern}_?(?=[A-Za-z])", "", name)
    return _class_name(operation) if short == block else short


def _unique(name, used_names):
    candidates = itertools.chain([name], (f"{name}_{count}" for count in itertools.count(1)))
    unique = next(candidate for candidate in candidates if candidate not in used_names)
    used_names.add(unique)
    return unique


def _base(operation):
    return re.sub(r"_\d+$", "", operation.name)


def _number(operation):
    match = re.search(r"_(\d+)$", operation.name)
    return int(match[1]) if match and is_automatic(operation) else 0


def _class_name(operation):
    return type(operation).__name__.lower()
