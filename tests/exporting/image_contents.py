"""Images as the content of files."""

import io

from PIL import Image


def as_file(image, file_format="PNG", **options):
    """Returns the content of a file in a format of Pillow."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def as_png(pixels):
    """Returns an array as the content of a PNG file."""
    return as_file(Image.fromarray(pixels))
