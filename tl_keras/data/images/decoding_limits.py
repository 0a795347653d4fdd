"""Limits on the memory and time that decoding images takes, across all threads that read some."""

import contextlib
import threading

from PIL import Image

MAX_MEGAPIXELS_IN_FLIGHT = 100
"""Maximum megapixels that are decoded at once. One with transparency takes 16 bytes a pixel while it is converted,
as WebP 24."""
MAX_SCANS = 100
"""Maximum number of scans of a JPEG; encoders write at most a few dozen."""
MAX_SCAN_MEGAPIXELS = 2_000
"""Maximum number of scans times megapixels, ten seconds' work; a progressive photograph of 100 megapixels has 1,000."""
BLOCK_BYTES = 64 * 2**20
"""Memory that Pillow allocates at once for the pixels of a large image. Above 32 MB, glibc returns it with the image;
Pillow's own blocks of 16 MB stay with the thread that decoded it, gigabytes for a dozen threads."""
START_OF_SCAN = b"\xff\xda"


class PixelBudget:
    """Lets threads decode images at once up to a number of pixels; the others wait.

    Args:
        max_pixels: number of pixels. A larger image is decoded alone.
    """

    def __init__(self, max_pixels):
        self._max_pixels = max_pixels
        self._in_flight = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, pixels):
        """Waits until an image may be decoded, and counts it until the context ends.

        Args:
            pixels: number of its pixels.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._in_flight or self._in_flight + pixels <= self._max_pixels)
            self._in_flight += pixels
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= pixels
                self._changed.notify_all()


IN_FLIGHT = PixelBudget(MAX_MEGAPIXELS_IN_FLIGHT * 1_000_000)
"""Budget of the process."""
Image.core.set_block_size(BLOCK_BYTES)


def check_scans(image):
    """Refuses a JPEG of many scans, each of which goes over the whole image; a few kilobytes can hold thousands.

    Args:
        image: `PIL.Image.Image`, opened and not yet decoded.

    Raises:
        ValueError: it has too many for its size.
    """
    if image.format not in ("JPEG", "MPO"):
        return
    position = image.fp.tell()
    image.fp.seek(0)
    # The bytes of a scan never look like the start of another one; those of a thumbnail may.
    scans = image.fp.read().count(START_OF_SCAN)
    image.fp.seek(position)
    if scans > MAX_SCANS or scans * image.width * image.height > MAX_SCAN_MEGAPIXELS * 1_000_000:
        raise ValueError(f"{scans} scans for {image.width} × {image.height} pixels (save it again as a JPEG)")
