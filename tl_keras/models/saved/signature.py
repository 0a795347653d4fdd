"""Check that an opened model takes and returns the tensors of its task; one of another origin may have any others."""

import keras

from tl_keras.errors import InputError, quoted

IMAGES = (("side", "side", 3), "number")
"""Square RGB images of one size."""
TEXTS = ((), "string")
DETECTIONS = {"boxes": (("any", 4), "number"), "scores": (("any",), "number"), "labels": (("any",), "number")}


def check_signature(model, inputs, outputs):
    """Checks the inputs and outputs of a model, which all have one row for each example.

    Args:
        model: `keras.Model`.
        inputs: tuple of the shape of one example and the kind of its values, or a dict of several. A side of the shape
            is a number; "side" for a size that is the same wherever it stands; or "any" for a size that may be unknown.
            The kind is "number" or "string".
        outputs: the same for the outputs.

    Raises:
        InputError: they are others.
    """
    for got, expected, verb in ((model.input, inputs, "takes"), (model.output, outputs, "returns")):
        if not _fits(got, expected):
            raise InputError(
                f"The model {verb} {quoted(_text(got))}, expected {_expected(expected)}: it does not belong to a run "
                "of this task."
            )


def _fits(got, expected):
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(_fits(got[name], expected[name]) for name in expected)
        )
    if not keras.backend.is_keras_tensor(got):
        return False
    sizes, kind = expected
    shape = tuple(got.shape)
    if (got.dtype == "string") != (kind == "string") or got.dtype.startswith(("bool", "complex")):
        return False
    if len(shape) != len(sizes) + 1 or shape[0] is not None:
        return False
    pairs = [(size, side) for size, side in zip(sizes, shape[1:], strict=True) if size != "any"]
    sides = {side for size, side in pairs if size == "side"}
    return all(size in ("side", side) for size, side in pairs) and (not sides or (len(sides) == 1 and all(sides)))


def _text(tensors):
    if isinstance(tensors, dict):
        return ", ".join(f"{name} {_text(tensor)}" for name, tensor in tensors.items())
    if isinstance(tensors, list | tuple):
        return ", ".join(map(_text, tensors))
    return f"{getattr(tensors, 'shape', '?')} {getattr(tensors, 'dtype', '?')}"


def _expected(expected):
    if isinstance(expected, dict):
        return " and ".join(f"{name} {_expected(one)}" for name, one in expected.items())
    sizes, kind = expected
    return f"{kind}s of shape ({', '.join(map(str, ('examples', *sizes)))})"
