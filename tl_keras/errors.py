"""The one error that users meet: a sentence that says what was got, what was expected and how to mend it."""

import difflib

MAX_LISTED = 12


class InputError(ValueError):
    """Something the user gave cannot be used: a flag, a file, a folder, a name.

    The verbs print its message as one sentence and exit with code 2, without a traceback.
    """


class RunStopped(RuntimeError):
    """A run cannot go on, for a reason that no flag caused: the disk is full, the loss is no longer a number.

    The verbs print its message as one sentence and exit with code 1, without a traceback.
    """


class LostWorker(RuntimeError):
    """Another worker of the same training is gone. The verbs print the sentence and exit with code 3."""


def unknown_name(argument, received, options):
    """Builds the error for a name that is not in a closed list.

    Args:
        argument: what the name was given for, as the user types it, such as `model.backbone`.
        received: the name that was given.
        options: iterable of the valid names.

    Returns:
        An `InputError` that ends with the nearest valid name, where one is near, and with all of them, where they
        are few or none is near.
    """
    options = list(dict.fromkeys(options))
    near = difflib.get_close_matches(str(received), options, n=1, cutoff=0.5)
    if near and len(options) > MAX_LISTED:
        expected = f"did you mean {near[0]!r}?"
    else:
        expected = f"{f'did you mean {near[0]!r}? ' if near else ''}Expected one of: {', '.join(options)}."
    return InputError(f"Unknown {argument} {received!r}: {expected}")
