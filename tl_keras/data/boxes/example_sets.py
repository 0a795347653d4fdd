"""The data sets with boxes that are made or fetched at their first use, by name."""

from tl_keras.data.boxes.boxed_emoji import write_boxed_emoji
from tl_keras.data.boxes.tree_crowns import write_tree_crowns
from tl_keras.errors import unknown_name
from tl_keras.system.user_cache import cached_folder

BOX_EXAMPLES = {
    "boxed_emoji": "560 photographs, 256 x 256 pixels, with up to 6 emoji of 5 kinds pasted on each",
    "tree_crowns": "128 tiles, 400 x 400 pixels, of aerial photographs of forest with a box around each tree crown",
}

# The number is that of the data: another one where what is made changes, so that no old folder is taken for it.
_MAKERS = {"boxed_emoji": ("boxed_emoji-1", write_boxed_emoji), "tree_crowns": ("tree_crowns-1", write_tree_crowns)}


def box_example_path(name):
    """Finds an example, and makes it at its first use.

    Args:
        name: a key of `BOX_EXAMPLES`.

    Returns:
        `Path` of a folder in COCO's format, in the user's cache.

    Raises:
        InputError: the name is unknown, the cache cannot be written, or pip cannot fetch what is needed.
    """
    if name not in BOX_EXAMPLES:
        raise unknown_name("example", name, BOX_EXAMPLES)
    return cached_folder(*_MAKERS[name])
