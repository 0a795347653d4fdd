"""Names of the data sets with boxes that are created or downloaded on first use."""

from tl_keras.data.boxes.boxed_emoji import write_boxed_emoji
from tl_keras.data.boxes.tree_crowns import write_tree_crowns
from tl_keras.errors import unknown_name
from tl_keras.system.user_cache import cached_folder

BOX_EXAMPLES = {
    "boxed_emoji": "560 photographs, 256 x 256 pixels, with up to 6 emoji of 5 kinds pasted on each",
    "tree_crowns": "128 tiles, 400 x 400 pixels, of aerial photographs of forest with a box around each tree crown",
}

# The number is a version: raise it when the created data change, so that old folders are not reused.
_MAKERS = {"boxed_emoji": ("boxed_emoji-1", write_boxed_emoji), "tree_crowns": ("tree_crowns-1", write_tree_crowns)}


def box_example_path(name):
    """Finds an example data set, and creates it on first use.

    Args:
        name: a key of `BOX_EXAMPLES`.

    Returns:
        `Path` of a folder in COCO's format, in the user's cache.

    Raises:
        InputError: the name is unknown, the cache cannot be written, or pip cannot download the package.
    """
    if name not in BOX_EXAMPLES:
        raise unknown_name("example", name, BOX_EXAMPLES)
    return cached_folder(*_MAKERS[name])
