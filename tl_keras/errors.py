"""Errors for users: one sentence with the received value, the expected value and a way to fix it."""

import difflib
import errno
import os
import re

MAX_LISTED = 12
MIN_START, MAX_LONGER = 3, 6
"""Letters of a start that several names may have, and the maximum number of these names."""
MAX_QUOTED = 200
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of the errors that free space mends."""
MEMORY_PHRASES = ("OOM when allocating", "Out of memory", "out of memory", "Dst tensor is not initialized")
"""Parts of what TensorFlow and XLA say when a device has too little memory."""
VALUE_KINDS = {
    "int": "a whole number, such as 5",
    "float": "a number, such as 0.05",
    "bool": "true or false",
    "str": "text",
    "list": "a list",
}
"""Names of types, as parsers print them, in words for users."""

_ESCAPED_JOINER = re.compile(r"(?<=[^\x00-\x7f])\\u200[cd]|(?<!\\)\\u200[cd](?=[^\x00-\x7f])")


class InputError(ValueError):
    """Reports invalid input of the user: a flag, a file, a folder, a name.

    The verbs print its message as one line and exit with code 2, without a traceback.
    """


class UnusedSetting(InputError):
    """Reports a setting that others make meaningless.

    Attributes:
        names: settings, such as "detection.head_units"; without any one of them there is no conflict.
        reason: the message without its advice.
    """

    def __init__(self, message, *names):
        """Stores the names."""
        super().__init__(message)
        self.names = names
        self.reason = message.partition(": ")[0]


class RunStopped(RuntimeError):
    """Reports that a run cannot continue, for example because the disk is full or the loss is NaN.

    The verbs print its message as one line and exit with code 1, without a traceback.
    """


class LostWorker(RuntimeError):
    """Reports that another worker of the same training was lost; the verbs exit with code 3."""


def is_disk_full(error):
    """Checks whether an exception reports a full disk.

    TensorFlow and the writers of exports raise errors of their own, with the text of the system in it. An `InputError`
    or `RunStopped` says already what to do.
    """
    if isinstance(error, OSError):
        return error.errno in DISK_FULL
    return not isinstance(error, InputError | RunStopped) and any(
        os.strerror(number) in str(error) for number in DISK_FULL
    )


def is_out_of_memory(error):
    """Checks whether an exception reports exhausted memory, of the host or of an accelerator."""
    return isinstance(error, MemoryError) or any(phrase in str(error) for phrase in MEMORY_PHRASES)


def quoted(value):
    """Formats a received value for a message, shortened to `MAX_QUOTED` characters.

    Args:
        value: any value; files of strangers may hold a megabyte where a word is expected.

    Returns:
        The `repr` of the value, or its start; zero-width joiners of words and emoji stay, so that names can be copied.
    """
    text = _ESCAPED_JOINER.sub(lambda match: chr(int(match[0][2:], 16)), repr(value))
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"


def counted(number, singular, plural=None):
    """Formats a number with its noun, as in "1 box" and "1,208 boxes".

    Args:
        number: int.
        singular: noun after 1, which other words may precede or, with a `plural`, follow, such as "box is".
        plural: noun after other numbers; None derives a regular one.

    Returns:
        str.
    """
    noun = singular if number == 1 else plural or _plural(singular)
    return f"{number:,} {noun}"


def part_of(part, number, noun, verbs=("is", "are")):
    """Formats a part of a number with its verb, as in "1 of 12 images is".

    Args:
        part: int, which the verb agrees with.
        number: int.
        noun: singular of what is counted.
        verbs: verb after a part of 1, and after other parts.

    Returns:
        str.
    """
    return f"{part:,} of {counted(number, noun)} {verbs[0] if part == 1 else verbs[1]}"


def _plural(noun):
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("epoch") else f"{noun}s"


def unknown_name(argument, received, options):
    """Builds the error for an unknown name, with the nearest valid one.

    Args:
        argument: name of the argument, as the user types it, such as `model.backbone`.
        received: the unknown name.
        options: iterable of the valid names.

    Returns:
        An `InputError` that suggests the nearest valid name, if one is similar, or the few that begin with the received
        one, and lists all of them, if they are at most `MAX_LISTED` or none is similar.
    """
    options, received_start = list(dict.fromkeys(options)), str(received)[:MAX_QUOTED]
    near = difflib.get_close_matches(received_start, options, n=1, cutoff=0.5)
    longer = [option for option in options if len(received_start) >= MIN_START and option.startswith(received_start)]
    if 1 < len(longer) <= MAX_LONGER:
        # None of them is nearer than the others.
        near = longer
    *others, last = map(quoted, near or [""])
    nearest = f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?" if near else ""
    if near and len(options) > MAX_LISTED:
        expected = nearest
    else:
        expected = f"{nearest} Expected one of: {', '.join(map(_shortened, options))}.".lstrip()
    return InputError(f"Unknown {argument[:MAX_QUOTED]} {quoted(received)}: {expected}")


def _shortened(name):
    name = str(name)
    return name if len(name) <= MAX_QUOTED else f"{name[: MAX_QUOTED - 1]}…"


def first_line(error):
    """Returns the first line of an error's text, or the name of its class if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
