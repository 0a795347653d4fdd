"""Digests of examples by their content, which recognise an example again under another name or in another file."""

import hashlib

import numpy as np
from PIL import Image

from tl_keras.data.images.image_sets import ImageSet
from tl_keras.data.images.pixel_digests import PIXEL_DIGEST_BYTES, PIXEL_DIGEST_VERSION, pixel_digest
from tl_keras.data.records import Records
from tl_keras.data.texts.duplicates import text_key

DIGEST_BYTES = 8
"""Enough for millions of examples: two of a million share a digest with a probability of 3e-8."""


def content_digests(examples):
    """Digests the pixels of images, as `image_digests` does, or the characters of texts.

    Args:
        examples: `ImageSet`, `TokenSet`, or `Records` of texts.

    Returns:
        List of n hexadecimal digests, str.
    """
    if not isinstance(examples, ImageSet):
        texts = examples.sources if isinstance(examples, Records) else examples.texts
        return [_digest(text_key(text).encode("utf-8", "surrogatepass")) for text in texts]
    return [_digest(digest.tobytes()) for digest in image_digests(examples)]


def digest_version(examples):
    """Returns the version of the digests of examples; those of other versions cannot be compared.

    Args:
        examples: as `content_digests` takes them.
    """
    return PIXEL_DIGEST_VERSION if isinstance(examples, ImageSet) else 1


def image_digests(image_set):
    """Returns the digests of images, which do not depend on how Pillow resizes.

    Args:
        image_set: `ImageSet`. Only the pixels of one that `load_image_splits` did not read are digested here.

    Returns:
        uint8 (n, 16), see `pixel_digest`.
    """
    if image_set.digests is not None:
        return image_set.digests
    images = (Image.fromarray(image_set.images[row]) for row in range(len(image_set)))
    digests = b"".join(pixel_digest(image, image.width) for image in images)
    return np.frombuffer(digests, np.uint8).reshape(-1, PIXEL_DIGEST_BYTES)


def _digest(content):
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
