"""Names of the data sets that are shipped with tl_keras, or created on first use."""

import sys
from pathlib import Path

from tl_keras.data.examples.digits import write_mnist, write_uci_digits
from tl_keras.errors import InputError, unknown_name
from tl_keras.system.user_cache import cached_folder

IMAGE_EXAMPLES = {
    "emoji": "810 emoji of 12 kinds, 64 x 64 pixels, drawn by Google (Noto Emoji)",
    "emoji_twitter": "810 of the same emoji, 64 x 64 pixels, drawn by Twitter (Twemoji)",
    "mnist": "5,000 handwritten digits of MNIST, 20 x 20 pixels",
    "uci_digits": "1,797 handwritten digits of the UCI repository, 8 x 8 pixels",
}
TEXT_EXAMPLES = {
    "reviews": "2,439 sentences of product reviews, positive or negative",
    "movie_reviews": "4,000 sentences of film reviews, positive or negative",
}
EXAMPLES = IMAGE_EXAMPLES | TEXT_EXAMPLES

_PLACES = {
    "emoji": "emoji",
    "emoji_twitter": "emoji_twitter",
    "reviews": "reviews/product_reviews.csv",
    "movie_reviews": "reviews/movie_reviews.csv",
}
# The number is a version: raise it when the created data change, so that old folders are not reused.
_MAKERS = {"mnist": ("mnist-1", write_mnist), "uci_digits": ("uci_digits-1", write_uci_digits)}


def example_path(name):
    """Finds a shipped data set, or creates one on first use.

    Args:
        name: a key of `EXAMPLES`.

    Returns:
        `Path` of the folder or table: in `data/` beside the package in a checkout, in `share/tl_keras/data/` of
        `sys.prefix` in an installation; created data are in the user's cache.

    Raises:
        InputError: the name is unknown, or the data are missing or cannot be created.
    """
    if name not in EXAMPLES:
        raise unknown_name("example", name, EXAMPLES)
    if name in _MAKERS:
        return cached_folder(*_MAKERS[name])
    candidates = (
        Path(__file__).parents[3] / "data" / _PLACES[name],
        Path(sys.prefix) / "share" / "tl_keras" / "data" / _PLACES[name],
        # Place of `pip install --target`.
        Path(__file__).parents[3] / "share" / "tl_keras" / "data" / _PLACES[name],
    )
    for path in candidates:
        if path.exists():
            return path
    raise InputError(
        f"The example {name!r} is not installed: looked for {candidates[0]} and {candidates[1]}; "
        "reinstall tl_keras, or give --data.path data of your own."
    )
