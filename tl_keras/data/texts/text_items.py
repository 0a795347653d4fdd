"""Texts of a command line: given as arguments, on the standard input, or in files."""

import io
import os
import sys
from pathlib import Path

from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.errors import InputError


def find_text_items(arguments, are_files=False):
    """Collects the texts of a command line.

    Args:
        arguments: list of texts; "-" stands for the lines of the standard input.
        are_files: the arguments are paths of files with one text in each line.

    Returns:
        List of str without empty lines, at least one.

    Raises:
        InputError: a file cannot be read, a text is the path of a file, or there is no text at all.
    """
    lines = []
    for argument in arguments:
        if argument == "-":
            lines += _lines(sys.stdin.buffer.read(), "The standard input")
        elif are_files:
            lines += _lines(_read_file(argument), f"The file {argument!r}")
        elif argument.endswith(".txt") and os.path.isfile(argument):
            raise InputError(f"{argument!r} is a file: give --files before it to predict the texts that are in it.")
        else:
            lines.append(argument)
    texts = [text for text in lines if text.strip()]
    if not texts:
        raise InputError('No text found: give texts in quotes, "-" for the standard input, or --files with .txt files.')
    if empty := len(lines) - len(texts):
        print(f"note: {empty} empty {'text was' if empty == 1 else 'texts were'} left out", file=sys.stderr)
    return texts


def _read_file(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"Cannot read {path!r} ({error.strerror}): expected a file with one text in each line."
        ) from None


def _lines(content, origin):
    try:
        return [line.rstrip("\n") for line in io.StringIO(decode_utf8(content), newline=None)]
    except NotUtf8 as error:
        raise InputError(f"{origin} is not UTF-8 ({error.reason}): save it as UTF-8.") from error
