"""The data sets that are shipped with tl_keras, by name."""

import sys
from pathlib import Path

from tl_keras.errors import InputError, unknown_name

EXAMPLES = {
    "emoji": "810 emoji of 12 kinds, 64 x 64 pixels, drawn by Google (Noto Emoji)",
}


def example_path(name):
    """Finds a shipped data set.

    Args:
        name: a key of `EXAMPLES`.

    Returns:
        The `Path` of its folder: `data/NAME` beside the package in a checkout, `share/tl_keras/data/NAME` below
        `sys.prefix` in an installation.

    Raises:
        InputError: the name is unknown, or the folder is not there.
    """
    if name not in EXAMPLES:
        raise unknown_name("example", name, EXAMPLES)
    places = (
        Path(__file__).parents[2] / "data" / name,
        Path(sys.prefix) / "share" / "tl_keras" / "data" / name,
        # Where `pip install --target` puts it.
        Path(__file__).parents[2] / "share" / "tl_keras" / "data" / name,
    )
    for place in places:
        if place.is_dir():
            return place
    raise InputError(
        f"The example {name!r} is not installed: looked for {places[0]} and {places[1]}; "
        "reinstall tl_keras, or give --data.path a folder of your own."
    )
