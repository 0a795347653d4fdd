"""The data sets that are shipped with tl_keras, by name."""

import sys
from pathlib import Path

from tl_keras.errors import InputError, unknown_name

IMAGE_EXAMPLES = {
    "emoji": "810 emoji of 12 kinds, 64 x 64 pixels, drawn by Google (Noto Emoji)",
}
TEXT_EXAMPLES = {
    "reviews": "2,439 sentences of product reviews, positive or negative",
    "movie_reviews": "4,000 sentences of film reviews, positive or negative",
}
EXAMPLES = IMAGE_EXAMPLES | TEXT_EXAMPLES

_PLACES = {
    "emoji": "emoji",
    "reviews": "reviews/product_reviews.csv",
    "movie_reviews": "reviews/movie_reviews.csv",
}


def example_path(name):
    """Finds a shipped data set.

    Args:
        name: a key of `EXAMPLES`.

    Returns:
        The `Path` of its folder or table: below `data/` beside the package in a checkout, below `share/tl_keras/data/`
        of `sys.prefix` in an installation.

    Raises:
        InputError: the name is unknown, or nothing is there.
    """
    if name not in EXAMPLES:
        raise unknown_name("example", name, EXAMPLES)
    places = (
        Path(__file__).parents[2] / "data" / _PLACES[name],
        Path(sys.prefix) / "share" / "tl_keras" / "data" / _PLACES[name],
        # Where `pip install --target` puts it.
        Path(__file__).parents[2] / "share" / "tl_keras" / "data" / _PLACES[name],
    )
    for place in places:
        if place.exists():
            return place
    raise InputError(
        f"The example {name!r} is not installed: looked for {places[0]} and {places[1]}; "
        "reinstall tl_keras, or give --data.path data of your own."
    )
