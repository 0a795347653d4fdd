"""Settings and vocabulary of a local Hugging Face checkpoint that KerasHub ignores.

KerasHub 0.32 converts every BERT with the tanh GELU, one epsilon and a tokenizer that keeps accents, regardless of the
checkpoint's files. With these, the embeddings of all-MiniLM-L6-v2 would be off by 3e-4 and accented words unknown.
"""

from tl_keras.errors import InputError, quoted
from tl_keras.models.texts.checkpoint_check import check_checkpoint
from tl_keras.system import json_files
from tl_keras.system.stored.files import read_text

BACKBONE_CLASSES = {
    "bert": "BertBackbone",
    "distilbert": "DistilBertBackbone",
    "roberta": "RobertaBackbone",
    "xlm-roberta": "XLMRobertaBackbone",
    "albert": "AlbertBackbone",
}
"""KerasHub's class for each supported `model_type`."""

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "keras_hub>gelu_approximate",
    "gelu_fast": "keras_hub>gelu_approximate",
    "gelu_pytorch_tanh": "keras_hub>gelu_approximate",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
"""Keras's name for each activation name of Hugging Face; "gelu" is the exact one, with erf."""


def read_checkpoint_config(folder):
    """Reads the configuration of a Hugging Face checkpoint.

    Args:
        folder: `pathlib.Path` of a folder.

    Returns:
        Dictionary, or None where the folder holds no Hugging Face checkpoint.

    Raises:
        InputError: the configuration is damaged, see `check_checkpoint`, or KerasHub does not convert its type of
            network.
    """
    config = read_json(folder / "config.json") or {}
    if "model_type" not in config:
        return None
    if str(config["model_type"]) not in BACKBONE_CLASSES:
        raise InputError(
            f"The checkpoint in {str(folder)!r} has the model_type {quoted(config['model_type'])}, expected one of: "
            f"{', '.join(BACKBONE_CLASSES)}."
        )
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise InputError(
            f"The checkpoint in {str(folder)!r} has {quoted(config['position_embedding_type'])} position embeddings, "
            "expected absolute ones: take another checkpoint."
        )
    check_checkpoint(folder, config)
    return config


def read_json(path):
    """Reads a JSON file.

    Args:
        path: `pathlib.Path` of the file.

    Returns:
        dict, or None where the file does not exist.

    Raises:
        InputError: the file is too large, not JSON, or not a dict.
    """
    if not path.is_file():
        return None
    return json_files.read_json(path, dict, "copy or download it again")


def trained_settings(folder, config):
    """Reads the activation and the epsilon that a checkpoint was trained with.

    Args:
        folder: `pathlib.Path` of the checkpoint, for messages.
        config: its configuration.

    Returns:
        Dictionary with "activation" and, if configured, "epsilon" of the layer normalizations.

    Raises:
        InputError: the activation is unknown.
    """
    name = config.get("hidden_act", config.get("activation", "gelu"))
    if str(name) not in ACTIVATIONS:
        raise InputError(
            f"The checkpoint in {str(folder)!r} has the activation {quoted(name)}, expected one of: "
            f"{', '.join(ACTIVATIONS)}."
        )
    settings = {"activation": ACTIVATIONS[name]}
    if "layer_norm_eps" in config:
        epsilon = config["layer_norm_eps"]
        if not isinstance(epsilon, float) or not 0 < epsilon < 1:
            raise InputError(
                f"The checkpoint in {str(folder)!r} has the layer_norm_eps {quoted(epsilon)}, expected a number such "
                "as 1e-12: copy or download it again."
            )
        settings["epsilon"] = epsilon
    return settings


def sentence_pooling(folder):
    """Detects a sentence encoder and returns its pooling.

    Args:
        folder: `pathlib.Path` of the checkpoint.

    Returns:
        "average" for any sentence encoder, whatever its own pooling; None where the folder does not mark one.
    """
    return "average" if (folder / "1_Pooling" / "config.json").is_file() else None


def read_word_pieces(folder):
    """Reads the vocabulary of a BERT or DistilBERT and its treatment of capitals and accents.

    As in transformers, tokenizer_config.json takes precedence over tokenizer.json, and accents are stripped if capitals
    are lowered, unless the files state otherwise (BERT's own `tokenization.py`).

    Args:
        folder: `pathlib.Path` of the checkpoint.

    Returns:
        Dictionary with "vocabulary" (list of tokens), "lowercase" and "strip_accents"; None where the tokenizer has
        another type. Chinese characters are always split: KerasHub 0.32 loses the setting that disables it.

    Raises:
        InputError: the folder holds no vocabulary.
    """
    settings = read_json(folder / "tokenizer_config.json") or {}
    if "XLMRoberta" in str(settings.get("tokenizer_class")):
        return None
    normalizer = _tokenizer_part(folder, "normalizer")
    lowercase = settings.get("do_lower_case", normalizer.get("lowercase", True))
    strip_accents = settings.get("strip_accents", normalizer.get("strip_accents"))
    return {
        "vocabulary": _vocabulary(folder),
        "lowercase": lowercase,
        "strip_accents": lowercase if strip_accents is None else strip_accents,
    }


def read_byte_pairs(folder):
    """Reads the vocabulary of a RoBERTa from tokenizer.json, which KerasHub does not read.

    transformers 5 writes no other vocabulary file.

    Args:
        folder: `pathlib.Path` of the checkpoint.

    Returns:
        Dictionary with "vocabulary" (from token to id) and "merges" (list of "a b"); None where KerasHub finds
        vocab.json and merges.txt, or where there is no vocabulary.

    Raises:
        InputError: tokenizer.json is damaged.
    """
    model = _tokenizer_part(folder, "model")
    if (folder / "vocab.json").is_file() or model.get("type") != "BPE":
        return None
    vocabulary, merges = _vocabulary_of(folder, model), model.get("merges")
    try:
        return {
            "vocabulary": vocabulary,
            "merges": [pair if isinstance(pair, str) else " ".join(pair) for pair in merges],
        }
    except TypeError as error:
        raise _damaged(folder, "merges") from error


def _tokenizer_part(folder, key):
    part = (read_json(folder / "tokenizer.json") or {}).get(key) or {}
    if not isinstance(part, dict):
        raise _damaged(folder, key)
    return part


def _vocabulary_of(folder, model):
    """Returns the dict from token to id."""
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict) or not all(type(number) is int for number in vocabulary.values()):
        raise _damaged(folder, "vocab")
    return vocabulary


def _damaged(folder, key):
    return InputError(f"The tokenizer.json in {str(folder)!r} has a damaged {key}: copy or download it again.")


def _vocabulary(folder):
    path = folder / "vocab.txt"
    if path.is_file():
        try:
            return read_text(path).removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise InputError(f"The file {str(path)!r} is not UTF-8: copy or download it again.") from error
        except OSError as error:
            raise InputError(f"Cannot read {str(path)!r} ({error.strerror}): copy or download it again.") from error
    model = _tokenizer_part(folder, "model")
    if "vocab" not in model:
        raise InputError(
            f"The checkpoint in {str(folder)!r} has no vocabulary: add its vocab.txt or tokenizer.json to the folder."
        )
    vocabulary = _vocabulary_of(folder, model)
    return sorted(vocabulary, key=vocabulary.get)
