"""Digests of the training and validation examples of a run, which recognise them in other data."""

import os

import numpy as np

from tl_keras.data.content_digests import content_digests
from tl_keras.errors import InputError

SEEN_EXAMPLES = "seen_examples.txt"
MAX_BYTES = 2**28


def write_seen_examples(run, parts):
    """Writes the digests of examples, sorted, one a line.

    Args:
        run: `RunFolder`.
        parts: iterable of the training and the validation examples, as `content_digests` takes them.
    """
    digests = {digest for part in parts for digest in content_digests(part)}
    run.write_text(SEEN_EXAMPLES, "".join(f"{digest}\n" for digest in sorted(digests)))


def find_seen_examples(run, examples):
    """Finds the examples that a run was trained or validated on.

    Args:
        run: `RunFolder`.
        examples: as `content_digests` takes them.

    Returns:
        bool (n,); None if the run kept no digests, as runs of version 0.1.0.

    Raises:
        InputError: the file of the digests is too large.
    """
    path = run / SEEN_EXAMPLES
    if not os.path.isfile(path):
        return None
    if os.path.getsize(path) > MAX_BYTES:
        raise InputError(f"The file {str(path)!r} has more than {MAX_BYTES} bytes: check that it belongs to the run.")
    seen = set(path.read_text(encoding="utf-8", errors="replace").split("\n"))
    return np.array([digest in seen for digest in content_digests(examples)], bool)
