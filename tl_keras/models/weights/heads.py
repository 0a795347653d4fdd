"""Loading of the layers behind a backbone: whole heads where they fit, else the classes that both heads share."""

LOGITS = "head.logits"


def load_head(layers, stored, old_names, new_names):
    """Loads the head of a classifier, a chain of layers.

    Args:
        layers: list of `ModelLayer`, input side first.
        stored: dictionary from name to `StoredLayer` or `ModelLayer`.
        old_names: class names of the stored head, or None.
        new_names: class names of the model, or None.

    Returns:
        Tuple of three: names of the loaded layers, {name: reason} of those that do not fit, and the names of the
        classes that were loaded by name.
    """
    if {layer.name for layer in layers} != set(stored):
        return (), dict.fromkeys(stored, "a head of other layers"), ()
    return _load_layers(layers, stored, (LOGITS,), old_names, new_names, is_chain=True)


def load_parts(layers, stored, class_layers, old_names, new_names):
    """Loads the neck and the heads of a detector, whose layers do not form a chain.

    Args:
        layers: list of `ModelLayer`.
        stored: dictionary from name to `StoredLayer` or `ModelLayer`.
        class_layers: names of the layers whose last axis has the class as its fastest-varying part.
        old_names: class names of the stored detector, or None.
        new_names: class names of the model, or None.

    Returns:
        As `load_head`.
    """
    common = [layer for layer in layers if layer.name in stored]
    return _load_layers(common, stored, class_layers, old_names, new_names, is_chain=False)


def assign(layer, arrays):
    """Assigns arrays to the variables of a layer, frozen or not.

    Args:
        layer: `ModelLayer`.
        arrays: list of one array per variable.
    """
    for variable, array in zip(layer.variables, arrays, strict=True):
        variable.assign(array)


def difference(layer, other):
    """Describes how the shapes of two layers differ."""
    return f"{_text(other.shapes)} in the file, {_text(layer.shapes)} here"


def _load_layers(layers, stored, class_layers, old_names, new_names, *, is_chain):
    """Loads layers, in a chain only up to the first that does not fit; returns as `load_head`."""
    matched, clashes, named_classes = [], {}, ()
    for layer in layers:
        if clashes and is_chain:
            clashes[layer.name] = "the layer before it is new"
            continue
        is_class_layer = layer.name in class_layers
        reason, classes = _load_layer(layer, stored[layer.name], is_class_layer, old_names, new_names)
        named_classes = named_classes or classes
        if reason:
            clashes[layer.name] = reason
        else:
            matched.append(layer.name)
    return tuple(matched), clashes, named_classes


def _load_layer(layer, other, is_class_layer, old_names, new_names):
    """Loads a layer; returns (reason why it or some of its classes stay new, or None; classes loaded by name)."""
    if is_class_layer and _rows_fit(layer, other, len(old_names or ()), len(new_names or ())):
        classes = _copy_classes(layer, other, list(old_names), list(new_names))
        return (None if len(classes) == len(new_names) else "other classes"), classes
    if layer.shapes != other.shapes:
        return difference(layer, other), ()
    assign(layer, other.read())
    return None, ()


def _rows_fit(layer, other, old, new):
    """Checks whether the layers differ in nothing but the number of classes."""
    if not (old and new) or len(layer.shapes) != len(other.shapes):
        return False
    return all(
        here[:-1] == there[:-1] and here[-1] * old == there[-1] * new and here[-1] % new == 0
        for here, there in zip(layer.shapes, other.shapes, strict=True)
    )


def _copy_classes(layer, other, old_names, new_names):
    """Copies the kernel columns and biases of the classes that both layers share; returns their names."""
    shared = [name for name in new_names if name in old_names]
    target, source = [new_names.index(name) for name in shared], [old_names.index(name) for name in shared]
    values = [variable.numpy().copy() for variable in layer.variables]
    for value, array in zip(values, other.read(), strict=True):
        split = value.reshape(*value.shape[:-1], -1, len(new_names))
        split[..., target] = array.reshape(*array.shape[:-1], -1, len(old_names))[..., source]
    assign(layer, values)
    return tuple(shared)


def _text(shapes):
    return " ".join("×".join(map(str, shape)) or "scalar" for shape in shapes)
