"""Matching of the layers of a model with those of a weight file, by name first, then by order."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelLayer:
    """Represents a layer of a model with weights, or a part of a nested layer."""

    name: str
    """Name of the layer; parts of a nested layer are joined with `/`."""
    kind: str
    """Class of the layer in lower case; empty for parts of a nested layer."""
    variables: tuple
    """Keras variables of the layer itself."""

    @property
    def shapes(self):
        """Tuple of the variables' shapes."""
        return tuple(tuple(variable.shape) for variable in self.variables)

    def read(self):
        """Returns the variables as a list of NumPy arrays."""
        return [variable.numpy() for variable in self.variables]


def layers_with_weights(model):
    """Lists the layers of a model that have weights, in call order.

    Args:
        model: built `keras.Model`.

    Returns:
        List of `ModelLayer`.
    """
    kinds = {layer.name: type(layer).__name__.lower() for layer in model.layers}
    variables = defaultdict(list)
    for layer in model.layers:
        for variable in layer.weights:
            variables[_owner(layer, variable)].append(variable)
    return [ModelLayer(name, kinds.get(name, ""), tuple(own)) for name, own in variables.items()]


def _owner(layer, variable):
    owner = variable.path.rpartition("/")[0]
    # The paths of variables in a nested model lack its name.
    return owner if owner.split("/")[0] == layer.name else f"{layer.name}/{owner}"


def match_layers(layers, stored, *, network_name=""):
    """Matches the layers of a model with those of a file.

    A layer `block5.conv1` is searched under its own name, then as `block5_conv1`, then as `conv1`, regardless of
    separators and case, so that files of keras.applications match. A name must be unique on either side. The remaining
    layers are matched in order if all their shapes agree, else none is: keras.applications leaves many layers unnamed.

    Args:
        layers: list of `ModelLayer`.
        stored: list of `StoredLayer`.
        network_name: prefix that names in the file may have.

    Returns:
        List of (`ModelLayer`, `StoredLayer`), each layer at most once. Pairs matched by name may differ in shape.
    """
    pairs = []
    for key in (_exact, _plain, _plain_without_block):
        ours = _unique(_unmatched(layers, pairs), key, "")
        theirs = _unique(_unmatched(stored, pairs), key, _simplified(network_name))
        pairs += [(ours[name], theirs[name]) for name in ours if name in theirs]
    return pairs + _by_order(_unmatched(layers, pairs), _unmatched(stored, pairs))


def _exact(item, _prefix):
    return item.name


def _plain(item, prefix):
    return _simplified(item.name).removeprefix(prefix)


def _plain_without_block(item, prefix):
    _block, _, name = item.name.rpartition(".")
    is_automatic = re.sub(r"\d+$", "", _simplified(name)) == re.sub(r"\d+$", "", item.kind)
    # An automatic name such as conv2d_3 is numbered within the block here, but within the network in the file.
    return item.name if is_automatic else _simplified(name).removeprefix(prefix)


def _simplified(name):
    return re.sub(r"[^a-z0-9]", "", name.rpartition("/")[2].lower())


def _unmatched(items, pairs):
    paired = {id(item) for pair in pairs for item in pair}
    return [item for item in items if id(item) not in paired]


def _unique(items, key, prefix):
    keys = [key(item, prefix) for item in items]
    counts = Counter(keys)
    return {name: item for name, item in zip(keys, items, strict=True) if counts[name] == 1}


def _by_order(layers, stored):
    # Keras 3 files preserve the order only within each class of layers.
    kinds = {other.kind for other in stored} if all(other.kind for other in stored) else {""}
    pairs = []
    for kind in kinds:
        ours = [layer for layer in layers if kind in ("", layer.kind)]
        theirs = [other for other in stored if other.kind == kind]
        pairs += zip(ours, theirs, strict=False)
    fits = len(pairs) == len(layers) and all(layer.shapes == other.shapes for layer, other in pairs)
    return pairs if fits else []
