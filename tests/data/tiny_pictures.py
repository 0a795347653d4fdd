"""Pictures of a few pixels for tests of boxes."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_picture(path, width=40, height=30):
    """Writes a picture of noise; returns its path."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)
