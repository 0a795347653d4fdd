"""Checks of the files of a Hugging Face checkpoint before KerasHub converts it: names, types and declared sizes."""

from tl_keras.errors import InputError, counted, quoted
from tl_keras.models.saved.preset_files import check_index
from tl_keras.system.stored.files import is_sparse

WEIGHT_FILES = "*.safetensors"
SIZES = ("vocab_size", "hidden_size", "dim", "embedding_size", "intermediate_size", "hidden_dim")
LAYERS = ("num_hidden_layers", "n_layers")
COUNTS = ("num_attention_heads", "n_heads", "max_position_embeddings", "type_vocab_size")
MAX_SIZE = 2**24
MAX_COUNT = 2**17
MAX_LAYERS = 500


def check_checkpoint(folder, config):
    """Checks that a configuration has numbers of reasonable size, and that the index names files of the folder.

    Args:
        folder: `pathlib.Path` of the checkpoint.
        config: its configuration, a dict.

    Raises:
        InputError: a number has another type or is too large, the files hold fewer weights than declared, or the index
            names a file elsewhere.
    """
    for keys, largest in ((SIZES, MAX_SIZE), (COUNTS, MAX_COUNT), (LAYERS, MAX_LAYERS)):
        for key in keys:
            value = config.get(key, 1)
            if type(value) is not int or not 0 < value <= largest:
                raise InputError(
                    f"The checkpoint in {str(folder)!r} has the {key} {quoted(value)}, expected a whole number from 1 "
                    f"to {largest:,}: copy or download it again."
                )
    check_index(folder)
    _check_size(folder, config)


def _check_size(folder, config):
    """Compares the embeddings and one layer, which no checkpoint shares between layers, with the size of the files."""
    files = list(folder.glob(WEIGHT_FILES))
    if sparse := next(filter(is_sparse, files), None):
        raise InputError(f"The file {str(sparse)!r} consists almost only of holes: copy or download it again.")
    stored = sum(path.stat().st_size for path in files)
    width = config.get("hidden_size", config.get("dim", 1))
    declared = config.get("vocab_size", 1) * config.get("embedding_size", width) + 4 * width**2
    # A weight takes at least a byte.
    if stored and declared > stored:
        raise InputError(
            f"The checkpoint in {str(folder)!r} declares more than {counted(declared, 'weight')}, but its files hold "
            f"{counted(stored, 'byte')}: it is damaged, or made to exhaust the memory."
        )
