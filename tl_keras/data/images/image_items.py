"""Image files of a command line: finding them, and predicting them while the next ones are read."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.reading.folders import list_images
from tl_keras.errors import InputError

BATCHES_READ_AHEAD = 2


def find_image_files(paths):
    """Lists the image files among files and folders.

    Args:
        paths: list of paths; a folder stands for every image in it and below.

    Returns:
        List of paths, at least one.

    Raises:
        InputError: a path does not exist, or there is no image at all.
    """
    files = []
    for path in paths:
        if os.path.isdir(path):
            files += list_images(path)
        elif os.path.isfile(path):
            files.append(path)
        else:
            raise InputError(f"Nothing found at {path!r}: expected an image file or a folder of images.")
    if not files:
        raise InputError(f"No image found in {', '.join(map(repr, paths))}: expected a folder with image files.")
    return files


def predict_files(files, predict, *, image_size, resize, batch_size):
    """Predicts image files in batches, while threads read the next `BATCHES_READ_AHEAD` batches.

    Args:
        files: list of paths.
        predict: function of uint8 images (n, image_size, image_size, 3) that returns n predictions.
        image_size: side in pixels of the square images.
        resize: as in `read_image`.
        batch_size: files in a batch.

    Yields:
        For each file in order a tuple (file, prediction, problem). If the file cannot be read, the prediction is None
        and `problem` says why; else `problem` is None.
    """
    for batch, images in _read_ahead(files, image_size, resize, batch_size):
        readable = [image for image in images if not isinstance(image, BadImage)]
        predictions = iter(predict(np.stack(readable)) if readable else ())
        for file, image in zip(batch, images, strict=True):
            problem = image.reason if isinstance(image, BadImage) else None
            yield file, None if problem else next(predictions), problem


def _read_ahead(files, image_size, resize, batch_size):
    """Yields each batch of files with its images, and a `BadImage` for each file that cannot be read."""

    def read(file):
        try:
            return read_image(file, image_size, resize)
        except BadImage as error:
            return error

    waiting = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), batch_size):
            batch = files[start : start + batch_size]
            waiting.append((batch, pool.map(read, batch)))
            if len(waiting) > BATCHES_READ_AHEAD:
                batch, images = waiting.pop(0)
                yield batch, list(images)
        for batch, images in waiting:
            yield batch, list(images)
