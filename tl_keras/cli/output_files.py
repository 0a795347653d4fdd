"""Files that verbs write their output to, and the format that the suffix of a file asks for."""

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path

from tl_keras.errors import InputError, quoted
from tl_keras.system.atomic_files import UNFINISHED, atomic_path

TERMINAL_FORMAT = "table"
PARQUET = "parquet"
FORMATS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".json": "coco",
    ".parquet": PARQUET,
    ".txt": TERMINAL_FORMAT,
    "": TERMINAL_FORMAT,
}
"""Format that each suffix of a file asks for."""


def choose_format(name, path, formats):
    """Chooses the format of an output.

    Args:
        name: format that the user named, or None.
        path: path of the output, or None for the terminal.
        formats: the formats that are supported.

    Returns:
        The named format, else that of the file's suffix, or of the terminal.

    Raises:
        InputError: the format, or the suffix of the file, is not supported.
    """
    suffix = os.path.splitext(path or "")[1].lower()
    chosen = name or FORMATS.get(suffix)
    if chosen in formats:
        return chosen
    if name:
        raise InputError(f"--format {name} is not for this run: take one of {', '.join(sorted(formats))}.")
    suffixes = [suffix for suffix, known in FORMATS.items() if known in formats and suffix]
    raise InputError(
        f"--output {quoted(path)} names no known format: give it the suffix {' or '.join(suffixes)}, or --format."
    )


@contextlib.contextmanager
def open_output(path):
    """Opens a file for output, which takes its place once the context ends without an error, or the standard output.

    Args:
        path: path of the file; None for the standard output.

    Yields:
        Text stream.

    Raises:
        InputError: the file cannot be written.
    """
    if path is None:
        # What another program reads is not escaped.
        stream = sys.stdout if sys.stdout.isatty() else getattr(sys.stdout, "stream", sys.stdout)
        if hasattr(stream, "reconfigure"):
            # File names need not be UTF-8, and one of them must not lose the predictions of the others.
            stream.reconfigure(errors="surrogateescape")
        yield stream
        return
    with contextlib.ExitStack() as stack:
        try:
            with contextlib.suppress(FileNotFoundError):
                # Raises an error for a name that is too long, before there are predictions to lose.
                mode = os.stat(path).st_mode
                if not stat.S_ISREG(mode):
                    # A pipe or a device, such as /dev/stdout, would be replaced by a file.
                    raise OSError(errno.EINVAL, "it is a folder" if stat.S_ISDIR(mode) else "it is no plain file")
            temporary = stack.enter_context(atomic_path(Path(path)))
            stream = stack.enter_context(open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline=""))
        except OSError as error:
            raise InputError(
                f"Cannot write to {path!r} ({error.strerror}): give --output a file in a folder that exists."
            ) from error
        yield stream


def refuse_input(path, sources):
    """Refuses an output that would take the place of what is read.

    Args:
        path: path of the output; None writes no file.
        sources: list of paths that are read; texts have no effect.

    Raises:
        InputError: the output is one of them.
    """
    if path is None:
        return
    name, place = os.path.basename(path), os.path.realpath(path)
    # Only equal names, because resolving a million paths takes seconds.
    if any(os.path.basename(source) == name and os.path.realpath(source) == place for source in sources):
        raise InputError(f"--output {quoted(path)} is read for the predictions or the training: give another file.")


def refuse_inputs(folder, names, items, flag):
    """Refuses a folder in which a file that a call writes would replace one that it reads.

    Args:
        folder: path of the folder.
        names: names of the files that the call will write.
        items: paths that it reads; other items have no effect.
        flag: flag that named the folder.

    Raises:
        InputError: names the file.
    """
    places = {os.path.realpath(os.path.join(folder, name)) for name in names}
    if read := next((item for item in items if isinstance(item, str) and os.path.realpath(item) in places), None):
        raise InputError(f"{flag} {quoted(str(folder))} would replace {quoted(read)}, an input: give another folder.")


def refuse_other_images(folder, names, flag, results=()):
    """Refuses a folder where a call would add its images to those of another call of the same verb.

    Args:
        folder: `pathlib.Path` of a folder that `claim_folder` claimed.
        names: names of the files that the call will write.
        flag: flag that named the folder.
        results: names of further files that a call may write there.

    Raises:
        InputError: says what to do.
    """
    if folders := sorted(name for name in names if (folder / name).is_dir()):
        place = quoted(str(folder / folders[0]))
        raise InputError(f"{place} is a folder, but a file is written there: remove it, or rename it.")
    found = {path.name for path in folder.iterdir() if path.suffix == ".png" or path.name in results}
    # A killed call leaves an unfinished file behind, and is ended by the same command.
    if others := sorted(name for name in found - set(names) if not name.startswith(UNFINISHED)):
        raise InputError(
            f"{flag} {quoted(str(folder))} holds results of another call, such as {quoted(others[0])}: give a new "
            "folder, or empty this one."
        )
