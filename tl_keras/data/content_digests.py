"""Digests of examples by their content, which recognise an example again under another name or in another file."""

import hashlib

from tl_keras.data.images.duplicates import pixel_digest
from tl_keras.data.images.image_sets import ImageFiles, ImageSet
from tl_keras.data.records import Records
from tl_keras.data.texts.duplicates import text_key

DIGEST_BYTES = 8
"""Enough for millions of examples: two of a million share a digest with a probability of 3e-8."""


def content_digests(examples):
    """Digests the pixels of images at the size that the model sees, or the characters of texts.

    Args:
        examples: `ImageSet`, `TokenSet`, or `Records` of texts.

    Returns:
        List of n hexadecimal digests, str.
    """
    if not isinstance(examples, ImageSet):
        texts = examples.sources if isinstance(examples, Records) else examples.texts
        return [_digest(text_key(text).encode("utf-8", "surrogatepass")) for text in texts]
    images = examples.images
    if isinstance(images, ImageFiles) and images.digests is not None:
        return [_digest(digest.tobytes()) for digest in images.digests]
    return [_digest(pixel_digest(images[row])) for row in range(len(images))]


def _digest(content):
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
