"""Takes over weights from local files, and saves models so that plain Keras opens them."""

from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.models.weight_files import (
    check_sha256,
    find_weight_file,
    open_layers,
    read_class_names,
)
from tl_keras.models.weight_matching import layers_with_weights, match_layers

HEAD = "head."
LOGITS = "head.logits"
SHOWN = 10
FEWEST = 0.5


@dataclass(frozen=True)
class WeightsReport:
    """Which weights came from a file; prints as a short text."""

    path: Path
    """The file."""
    matched: tuple[str, ...]
    """Layers of the model that now have the file's weights."""
    missing: tuple[str, ...]
    """Layers of the model that the file does not know; they are as they were."""
    unexpected: tuple[str, ...]
    """Layers of the file that the model does not have."""
    clashes: tuple[str, ...]
    """Layers of the head that have another size or other classes in the file, with the reason; they are fresh."""
    kept_classes: tuple[str, ...] = ()
    """Classes that the file knew by name and whose part of the last layer was taken over."""

    def __str__(self):
        """Returns one line of counts, and one for each list that is not empty."""
        lines = [f"Weights from {self.path}: {len(self.matched)} layers matched, {len(self.missing)} missing."]
        for caption in ("missing", "unexpected", "clashes", "kept_classes"):
            names = getattr(self, caption)
            if names:
                lines.append(f"  {caption.replace('_', ' ')}: {_listed(names)}")
        return "\n".join(lines)


def load_weights(model, path, *, sha256=None, class_names=None):
    """Takes over the weights of a local file into a model.

    The file's layers are found by name, then by order. The head is taken over where it fits: a last layer with other
    classes stays fresh, but the classes that both know by name keep their weights. Nothing in the file is executed.

    Args:
        model: built `keras.Model` with layers named `BLOCK.LAYER`, such as `build_image_classifier` gives.
        path: a `.keras`, `.weights.h5` or `.h5` file of this project or of keras.applications (with its top or not),
            a run folder with `model.keras`, or a folder with one such file.
        sha256: hexadecimal digest that the file must have; None checks nothing.
        class_names: names of the model's classes; by default `model.class_names` where there are.

    Returns:
        `WeightsReport`.

    Raises:
        InputError: no such file, another digest, a damaged file, no layer that fits, or a backbone of other shapes.
    """
    path = find_weight_file(path)
    if sha256:
        check_sha256(path, sha256)
    names = class_names or getattr(model, "class_names", None)
    layers = layers_with_weights(model)
    with open_layers(path) as stored:
        pairs = match_layers(_without_head(layers), _without_head(stored), network_name=model.name)
        _check_backbone(model, path, layers, pairs)
        values = [other.read() for _, other in pairs]
        for (layer, _), arrays in zip(pairs, values, strict=True):
            _assign(layer, arrays)
        head = _load_head(layers, stored, read_class_names(path), names)
        return _report(path, layers, stored, pairs, head)


def _check_backbone(model, path, layers, pairs):
    wrong = [f"{layer.name}: {_difference(layer, other)}" for layer, other in pairs if layer.shapes != other.shapes]
    if wrong:
        raise InputError(
            f"The weights in {str(path)!r} do not fit {model.name}: {len(wrong)} of its layers have other "
            f"shapes there ({_listed(wrong)}): give weights of the same backbone."
        )
    expected = len(_without_head(layers))
    if len(pairs) < FEWEST * expected:
        raise InputError(
            f"The weights in {str(path)!r} do not fit {model.name}: {len(pairs)} of its {expected} layers are there: "
            "give weights of the same backbone."
        )


def _without_head(layers):
    return [layer for layer in layers if not layer.name.startswith(HEAD)]


def _load_head(layers, stored, old_names, new_names):
    """Returns (names of the layers taken over, {name: reason} of those that do not fit, classes taken over)."""
    layers = [layer for layer in layers if layer.name.startswith(HEAD)]
    stored = {other.name: other for other in stored if other.name.startswith(HEAD)}
    if {layer.name for layer in layers} != set(stored):
        return (), dict.fromkeys(stored, "a head of other layers"), ()
    matched, clashes, kept = [], {}, ()
    for layer in layers:
        other = stored[layer.name]
        if clashes:
            clashes[layer.name] = "the layer before it is fresh"
        elif layer.name == LOGITS and new_names and other.shapes[0] == (layer.shapes[0][0], len(old_names or ())):
            kept = _copy_classes(layer, other, list(old_names), list(new_names))
            if len(kept) < len(new_names):
                clashes[layer.name] = "other classes"
        elif layer.shapes != other.shapes:
            clashes[layer.name] = _difference(layer, other)
        else:
            _assign(layer, other.read())
        if layer.name not in clashes:
            matched.append(layer.name)
    return tuple(matched), clashes, kept


def _copy_classes(layer, other, old_names, new_names):
    """Copies the columns of the kernel and the biases of the classes that both know; returns their names."""
    shared = [name for name in new_names if name in old_names]
    target, source = [new_names.index(name) for name in shared], [old_names.index(name) for name in shared]
    values = [variable.numpy().copy() for variable in layer.variables]
    for value, array in zip(values, other.read(), strict=True):
        value[..., target] = array[..., source]
    _assign(layer, values)
    return tuple(shared)


def _assign(layer, arrays):
    for variable, array in zip(layer.variables, arrays, strict=True):
        variable.assign(array)


def _report(path, layers, stored, pairs, head):
    matched, clashes, kept = head
    matched = (*(layer.name for layer, _ in pairs), *matched)
    known, used = {*matched, *clashes}, {*(other.name for _, other in pairs), *matched, *clashes}
    return WeightsReport(
        path=path,
        matched=matched,
        missing=tuple(layer.name for layer in layers if layer.name not in known),
        unexpected=tuple(other.name for other in stored if other.name not in used),
        clashes=tuple(f"{name} ({reason})" for name, reason in clashes.items()),
        kept_classes=kept,
    )


def _difference(layer, other):
    return f"{_text(other.shapes)} in the file, {_text(layer.shapes)} here"


def _text(shapes):
    return " ".join("×".join(map(str, shape)) or "scalar" for shape in shapes)


def _listed(names):
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
