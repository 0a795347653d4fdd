"""Image files of a command line: finding them, and reading them ahead of need."""

import os
from concurrent.futures import ThreadPoolExecutor

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


def read_ahead(files, image_size, resize, batch_size):
    """Reads image files in batches, by threads, `BATCHES_READ_AHEAD` batches ahead.

    Args:
        files: list of paths.
        image_size: side in pixels of the square images.
        resize: as in `read_image`.
        batch_size: files in a batch.

    Yields:
        Tuple of the files of a batch and their images, uint8 (image_size, image_size, 3), or the `BadImage` of each
        file that cannot be read.
    """

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
