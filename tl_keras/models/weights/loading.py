"""Loading of weights from local files into a model."""

from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import InputError, counted
from tl_keras.models.blocks import block_of
from tl_keras.models.weights.files import find_weight_file, open_layers, read_class_names
from tl_keras.models.weights.heads import assign, difference, load_head, load_parts
from tl_keras.models.weights.matching import layers_with_weights, match_layers
from tl_keras.system.checksums import check_sha256

CLASSIFIER_BLOCKS = ("head",)
DETECTOR_BLOCKS = ("neck", "proposals", "head")
MAX_LISTED = 10
MIN_MATCHED_SHARE = 0.5


@dataclass(frozen=True)
class WeightsReport:
    """Lists the layers that were loaded from a file; prints as a short text."""

    path: Path
    """The file."""
    matched: tuple[str, ...]
    """Layers of the model that were loaded from the file."""
    missing: tuple[str, ...]
    """Layers of the model that are not in the file; they did not change."""
    unexpected: tuple[str, ...]
    """Layers of the file that are not in the model."""
    clashes: tuple[str, ...]
    """Layers of the head that have another size or other classes in the file, with the reason; they stay new."""
    kept_classes: tuple[str, ...] = ()
    """Names of the classes whose part of the last layer was loaded by name."""

    def __str__(self):
        """Returns one line of counts, and one line per list that is not empty."""
        lines = [
            f"Weights from {self.path}: {counted(len(self.matched), 'layer')} matched, {len(self.missing)} missing."
        ]
        for caption in ("missing", "unexpected", "clashes", "kept_classes"):
            names = getattr(self, caption)
            if names:
                lines.append(f"  {caption.replace('_', ' ')}: {_listed(names)}")
        return "\n".join(lines)


def load_weights(model, path, *, sha256=None, class_names=None):
    """Loads the weights of a local file into a model.

    Layers of the backbone are matched by name, then by order. The layers behind it (the head; in a detector `neck`,
    `proposals` and `head`) are loaded where they fit. A last layer with other classes stays new, except for the classes
    whose names both have. Runs no code of the file.

    Args:
        model: built `keras.Model` with layers named `BLOCK.LAYER`, e.g. from `build_image_classifier`, or a `Detector`.
        path: a `.keras`, `.weights.h5` or `.h5` file of this project or of keras.applications (with or without top),
            a run folder with `model.keras`, or a folder with one such file.
        sha256: hexadecimal SHA-256 that the file must have; None skips the check.
        class_names: names of the model's classes; None takes `model.class_names`, if any.

    Returns:
        `WeightsReport`.

    Raises:
        InputError: the file is missing, damaged or has another SHA-256, no layer matches, or the backbone has other
            shapes.
    """
    path = find_weight_file(path)
    if sha256:
        check_sha256(path, sha256, "download it again, or correct the digest")
    names = class_names or getattr(model, "class_names", None)
    layers = layers_with_weights(model)
    is_detector = hasattr(model, "class_layers")
    blocks = DETECTOR_BLOCKS if is_detector else CLASSIFIER_BLOCKS
    backbone, own = _split(layers, blocks)
    with open_layers(path) as stored:
        stored_backbone, stored_own = _split(stored, blocks)
        pairs = match_layers(backbone, stored_backbone, network_name=model.name)
        _check_backbone(model, path, backbone, pairs)
        values = [other.read() for _, other in pairs]
        for (layer, _), arrays in zip(pairs, values, strict=True):
            assign(layer, arrays)
        by_name = {other.name: other for other in stored_own}
        if is_detector:
            head = load_parts(own, by_name, model.class_layers, read_class_names(path), names)
        else:
            head = load_head(own, by_name, read_class_names(path), names)
        return _report(path, layers, stored, pairs, head)


def load_arrays(model, layers, source, *, class_names):
    """Loads the weights of another detector of the same architecture, classes by name.

    Args:
        model: built `Detector`; the classes in its `class_names` are loaded by name.
        layers: list of one `StoredLayer` or `ModelLayer` per layer of the model, with the same names.
        source: name of their origin, for the report.
        class_names: names of the classes of `layers`, with None for a class without a name; or None.

    Returns:
        `WeightsReport`.

    Raises:
        InputError: layers are missing, or differ in more than their classes.
    """
    own = layers_with_weights(model)
    parts = load_parts(own, {other.name: other for other in layers}, model.class_layers, class_names, model.class_names)
    report = _report(Path(source), own, layers, [], parts)
    wrong = [*report.missing, *report.unexpected, *(set(parts[1]) - set(model.class_layers))]
    if wrong:
        raise InputError(
            f"The weights of {source!r} do not fit {model.name}: {counted(len(wrong), 'layer')} differ "
            f"({_listed(wrong)}): give a preset of this detector as KerasHub ships it."
        )
    return report


def _split(layers, blocks):
    """Returns the layers of the backbone, and those of the blocks behind it."""
    is_own = [block_of(layer) in blocks for layer in layers]
    backbone = [layer for layer, own in zip(layers, is_own, strict=True) if not own]
    return backbone, [layer for layer, own in zip(layers, is_own, strict=True) if own]


def _check_backbone(model, path, backbone, pairs):
    wrong = [f"{layer.name}: {difference(layer, other)}" for layer, other in pairs if layer.shapes != other.shapes]
    if wrong:
        raise InputError(
            f"The weights in {str(path)!r} do not fit {model.name}: {len(wrong)} of its layers have other "
            f"shapes in the file ({_listed(wrong)}): give weights of the same backbone."
        )
    if len(pairs) < MIN_MATCHED_SHARE * len(backbone):
        raise InputError(
            f"The weights in {str(path)!r} do not fit {model.name}: {len(pairs)} of its "
            f"{counted(len(backbone), 'layer')} are in the file: give weights of the same backbone."
        )


def _report(path, layers, stored, pairs, head):
    matched, clashes, named_classes = head
    matched = (*(layer.name for layer, _ in pairs), *matched)
    known, used = {*matched, *clashes}, {*(other.name for _, other in pairs), *matched, *clashes}
    return WeightsReport(
        path=path,
        matched=matched,
        missing=tuple(layer.name for layer in layers if layer.name not in known),
        unexpected=tuple(other.name for other in stored if other.name not in used),
        clashes=tuple(f"{name} ({reason})" for name, reason in clashes.items()),
        kept_classes=named_classes,
    )


def _listed(names):
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
