"""Digests of examples one by one, by which stored features of the same example are found again."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL

from tl_keras.data import ImageFiles, TokenSet, pixel_digest
from tl_keras.transfer.activations.key import file_digest


def example_digests(examples):
    """Digests the content of each example as a network sees it; names, labels and the order do not matter.

    Images in memory and checked image files have equal digests if their pixels are equal. For files that were not
    checked, the content of the file, the size, the resize and the version of Pillow count instead.

    Args:
        examples: uint8 array (n, height, width, 3), `ImageFiles` or `TokenSet`. A text with `windows` is digested by
            its windows, every other row by its tokens.

    Returns:
        List of n SHA-256 digests, bytes of length 32 each.

    Raises:
        InputError: a file that was not checked cannot be read.
    """
    digest = _digest_function(examples)
    with ThreadPoolExecutor() as pool:
        return list(pool.map(digest, range(len(examples))))


def _digest_function(examples):
    """Returns a function from a row to its digest."""
    if isinstance(examples, TokenSet):
        return _token_digest_function(examples)
    if not isinstance(examples, ImageFiles):
        return lambda row: _image_digest(examples[row].shape, pixel_digest(examples[row]))
    size = examples.image_size
    if examples.digests is not None:
        return lambda row: _image_digest((size, size, 3), examples.digests[row].tobytes())
    read_as = f"{size} {examples.resize} {PIL.__version__} ".encode()
    return lambda row: hashlib.sha256(read_as + file_digest(examples.sources[row])).digest()


def _image_digest(shape, pixels):
    return hashlib.sha256(f"{shape} ".encode() + pixels).digest()


def _token_digest_function(texts):
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
