"""Images as callers have them: paths, folders, Pillow images and arrays, one or many."""

import os

import numpy as np
from PIL import Image

from tl_keras.data.images.decoding import read_image, read_upright, resize_image, upright_rgb
from tl_keras.data.images.image_items import TableImage, find_image_files
from tl_keras.errors import InputError

EXPECTED = (
    "expected paths, folders, Pillow images, or arrays (height, width), (height, width, 1, 3 or 4) or batches, "
    "with values from 0 to 255"
)


def list_given_images(examples):
    """Lists images that a caller gives in any usual form.

    Args:
        examples: a path of a file or of a folder, a Pillow image, an array (height, width) or (height, width, 1, 3 or
            4) of whole numbers or floats from 0 to 255, a batch of such arrays, or a list or tuple of any of these.

    Returns:
        List of paths, and of uint8 (height, width, 3), RGB, at least one.

    Raises:
        InputError: an example is of another kind, or the list is empty.
    """
    if isinstance(examples, TableImage):
        # One image, even if it has the suffix of a table.
        return [examples]
    if isinstance(examples, str | os.PathLike):
        return find_image_files([os.fspath(examples)])
    if isinstance(examples, Image.Image):
        return [np.asarray(upright_rgb(examples.copy()))]
    if isinstance(examples, list | tuple):
        images = [image for example in examples for image in list_given_images(example)]
        if not images:
            raise InputError(f"Got no image: {EXPECTED}.")
        return images
    array = np.asarray(examples)
    is_batch = array.ndim == 4 and array.shape[-1] in (1, 3, 4) and array.size
    return [_to_rgb(image) for image in (array if is_batch else [array])]


def read_given_image(image, image_size, resize):
    """Returns an image of `list_given_images` as a model takes it, uint8 (image_size, image_size, 3).

    Args:
        image: path or uint8 (height, width, 3).
        image_size: side in pixels.
        resize: as in `read_image`.
    """
    if isinstance(image, np.ndarray):
        return resize_image(image, image_size, resize)
    return read_image(image, image_size, resize)


def upright_pixels(image):
    """Returns an image of `list_given_images` at its own size, uint8 (height, width, 3)."""
    return image if isinstance(image, np.ndarray) else read_upright(image)


def _to_rgb(array):
    channels = array.shape[2] if array.ndim == 3 else 1
    numeric = np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or not array.size or not numeric:
        raise InputError(f"Cannot predict an array of shape {array.shape} and dtype {array.dtype}: {EXPECTED}.")
    if array.dtype != np.uint8:
        array = _to_bytes(array)
    array = array[..., 0] if array.ndim == 3 and channels == 1 else array
    return np.asarray(upright_rgb(Image.fromarray(np.ascontiguousarray(array))))


def _to_bytes(array):
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):
        raise InputError(f"Cannot predict an array with values from {low:.3g} to {high:.3g}: {EXPECTED}.")
    if np.issubdtype(array.dtype, np.floating) and 0 < high <= 1:
        raise InputError(
            f"Cannot predict a float array whose highest value is {high:.3g}: its range seems to be 0 to 1, so "
            "multiply it by 255."
        )
    return array.round().astype(np.uint8)
