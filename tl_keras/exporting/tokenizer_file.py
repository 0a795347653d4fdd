"""The tokenizer of a text classifier as a `tokenizer.json`, which the package `tokenizers` opens without TensorFlow."""

import importlib

import numpy as np

from tl_keras.data.texts.cleaning import INVISIBLE, SPACES
from tl_keras.errors import InputError
from tl_keras.models.texts.encoder_inputs import FRONT, PADDING_MASK, SEGMENT_IDS, TOKEN_IDS

TOKENIZER = "tokenizer.json"


def write_tokenizer(model, path, *, max_tokens, truncation):
    """Writes the tokenizer of a text classifier, with cleaning, special tokens, truncation and padding.

    Args:
        model: `keras.Model` of `with_text_input`, with one window.
        path: `Path` of the file.
        max_tokens: maximum number of tokens, special ones included.
        truncation: "head" or "tail", the part of a long text that is kept.

    Raises:
        InputError: the tokenizer is of a kind that has no counterpart.
    """
    tokenizers = importlib.import_module("tokenizers")
    layer = model.get_layer(FRONT)
    result = _tokenizer(tokenizers, layer)
    words = {name: getattr(layer, f"{name}_token_id") for name in ("start", "end", "pad")}
    start, end, pad = (layer.id_to_token(int(number)) for number in words.values())
    result.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, int(words["start"])), (end, int(words["end"]))]
    )
    result.enable_truncation(max_tokens, direction="left" if truncation == "tail" else "right")
    result.enable_padding(pad_id=int(words["pad"]), pad_token=pad)
    path.write_text(result.to_str(pretty=True), encoding="utf-8")


def open_tokenizer(path):
    """Opens a `tokenizer.json`.

    Args:
        path: path of the file.

    Returns:
        Function from a list of str to a dict of int32 arrays (texts, tokens).
    """
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(path))

    def encode(texts):
        rows = tokenizer.encode_batch(list(texts))
        parts = {TOKEN_IDS: "ids", PADDING_MASK: "attention_mask", SEGMENT_IDS: "type_ids"}
        return {name: np.array([getattr(row, part) for row in rows], "int32") for name, part in parts.items()}

    return encode


def _tokenizer(tokenizers, layer):
    """Builds the counterpart of a tokenizer of KerasHub, without special tokens."""
    normalizers, before = tokenizers.normalizers, tokenizers.pre_tokenizers
    cleaning = [normalizers.Replace(tokenizers.Regex(INVISIBLE.pattern), "")]
    cleaning.append(normalizers.Replace(tokenizers.Regex(SPACES.pattern), " "))
    if hasattr(layer, "suffix_indicator"):
        vocabulary = {word: number for number, word in enumerate(layer.get_vocabulary())}
        model = tokenizers.models.WordPiece(
            vocabulary, unk_token=layer.oov_token, continuing_subword_prefix=layer.suffix_indicator
        )
        result = tokenizers.Tokenizer(model)
        cleaning.append(normalizers.BertNormalizer(lowercase=layer.lowercase, strip_accents=bool(layer.strip_accents)))
        result.pre_tokenizer = before.BertPreTokenizer()
    elif hasattr(layer, "merges"):
        merges = [tuple(merge.split(" ")) for merge in layer.merges]
        result = tokenizers.Tokenizer(tokenizers.models.BPE(dict(layer.vocabulary), merges))
        result.pre_tokenizer = before.ByteLevel(add_prefix_space=False)
    else:
        raise InputError(
            f"There is no tokenizer.json for a {type(layer).__name__}: export this run as savedmodel, which contains "
            "the tokenizer."
        )
    result.normalizer = normalizers.Sequence(cleaning)
    return result
