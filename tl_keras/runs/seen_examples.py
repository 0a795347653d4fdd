"""Digests of the training and validation examples of a run, which recognise them in other data."""

import os
import re

import numpy as np

from tl_keras.data.content_digests import DIGEST_BYTES, content_digests, digest_version
from tl_keras.errors import InputError

SEEN_EXAMPLES = "seen_examples.txt"
MAX_BYTES = 2**27
HEADER = "digest version "
HEADER_LINE = HEADER.encode() + rb"[1-9][0-9]{0,8}\n"
LINE_BYTES = 2 * DIGEST_BYTES + 1
"""Bytes of a line, a digest in hexadecimal digits."""


def write_seen_examples(run, parts):
    """Writes the version of the digests and those of all examples, sorted, one a line.

    Args:
        run: `RunFolder`.
        parts: the training and the validation examples, as `content_digests` takes them.
    """
    digests = sorted({digest for part in parts for digest in content_digests(part)})
    lines = [_header(parts[0]), *digests]
    run.write_text(SEEN_EXAMPLES, "".join(f"{line}\n" for line in lines))


def find_seen_examples(run, examples):
    """Finds the examples that a run was trained or validated on.

    Args:
        run: `RunFolder`.
        examples: as `content_digests` takes them.

    Returns:
        bool (n,); None if the run has no digests that can be compared, as those of older versions of tl_keras.

    Raises:
        InputError: the file of the digests is too large, or damaged.
    """
    path = run / SEEN_EXAMPLES
    if not os.path.isfile(path):
        return None
    if os.path.getsize(path) > MAX_BYTES:
        raise InputError(f"The file {str(path)!r} has more than {MAX_BYTES} bytes: check that it belongs to the run.")
    content, header = path.read_bytes(), f"{_header(examples)}\n".encode()
    if not content.startswith(header):
        if re.match(HEADER_LINE, content[:LINE_BYTES]) is None and content.startswith(HEADER.encode()):
            raise _damaged(path)
        # Files of the first version have no header.
        if content.startswith(HEADER.encode()) or digest_version(examples) != 1:
            return None
        header = b""
    if (len(content) - len(header)) % LINE_BYTES:
        raise _damaged(path)
    lines = np.frombuffer(content, f"S{LINE_BYTES}", offset=len(header))
    return np.isin(np.array([f"{digest}\n" for digest in content_digests(examples)], f"S{LINE_BYTES}"), lines)


def _damaged(path):
    return InputError(f"The file {str(path)!r} is damaged: copy the run again.")


def _header(examples):
    return f"{HEADER}{digest_version(examples)}"
