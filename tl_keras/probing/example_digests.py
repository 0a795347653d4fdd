"""Digests of examples one by one, by which stored features of the same example are found again."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tl_keras.data import TokenSet, image_digests


def example_digests(examples):
    """Digests the content of each example as a network sees it; names, labels and the order do not matter.

    Args:
        examples: `ImageSet` or `TokenSet`. A text with `windows` is digested by its windows, every other row by its
            tokens.

    Returns:
        List of n SHA-256 digests, bytes of length 32 each.
    """
    if not isinstance(examples, TokenSet):
        return [hashlib.sha256(digest.tobytes()).digest() for digest in image_digests(examples)]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_token_digest_function(examples), range(len(examples))))


def _token_digest_function(texts):
    """Returns a function from a row to its digest."""
    inputs = texts if texts.windows is None else texts.windows
    bounds = np.arange(len(texts) + 1)
    if texts.windows is not None:
        bounds = np.searchsorted(inputs.owners, bounds)

    def digest(row):
        part = slice(*inputs.offsets[bounds[[row, row + 1]]])
        hasher = hashlib.sha256(f"{inputs.pad_id} {bounds[row + 1] - bounds[row]} ".encode())
        hasher.update(inputs.lengths[bounds[row] : bounds[row + 1]])
        hasher.update(inputs.tokens[part])
        if inputs.segments is not None:
            hasher.update(inputs.segments[part])
        return hasher.digest()

    return digest
