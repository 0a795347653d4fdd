"""Tokenizers: text to token ids, and the special tokens around them."""

import functools
import hashlib
import importlib
import json

import numpy as np
import tensorflow as tf

from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.texts.hugging_face import read_byte_pairs, read_word_pieces
from tl_keras.models.texts.presets import find_text_source, hub_errors
from tl_keras.models.texts.sentence_pieces import with_small_letters

ENCODED_AT_ONCE = 1024
DEFAULT_MAX_TOKENS = 512
WITH_SEGMENTS = ("BertBackbone", "AlbertBackbone")
ROBERTA = ("RobertaBackbone", "XLMRobertaBackbone")
UNUSED_POSITIONS = 2


class TextTokenizer:
    """Turns texts into the ids of their tokens, and knows which special tokens go around them.

    Attributes:
        layer: KerasHub's tokenizer.
        start_ids: tuple of the ids before a text.
        separator_ids: tuple of the ids between the two texts of a pair.
        end_ids: tuple of the ids after a text.
        pad_id: id that fills up short rows.
        has_segments: whether the encoder tells the two texts of a pair apart by segment ids: 0 up to and with the
            separator, 1 from there on.
        max_tokens: how many tokens the encoder has positions for, special ones included.
    """

    def __init__(self, layer, *, class_name, max_tokens):
        """Keeps the tokenizer of an encoder.

        Args:
            layer: KerasHub's tokenizer.
            class_name: the encoder's class in `keras_hub.models`.
            max_tokens: how many positions the encoder has.
        """
        self.layer = layer
        self.start_ids = (int(layer.start_token_id),)
        self.end_ids = (int(layer.end_token_id),)
        self.separator_ids = self.end_ids * (2 if class_name in ROBERTA else 1)
        self.pad_id = int(layer.pad_token_id)
        self.has_segments = class_name in WITH_SEGMENTS
        self.max_tokens = max_tokens
        # KerasHub's tokenizers are some 200 times slower outside a graph, and take a text of 4 MB for 40 seconds.
        self._encode = tf.function(layer, input_signature=[tf.TensorSpec([None], tf.string)])

    @functools.cached_property
    def fingerprint(self):
        """Hexadecimal SHA-256 that differs where `encode` does: of the settings and the vocabulary."""
        settings = {key: value for key, value in self.layer.get_config().items() if key != "name"}
        rules = getattr(self.layer, "proto", None) or getattr(self.layer, "merges", None)
        parts = [type(self.layer).__name__, settings, list(self.layer.get_vocabulary()), rules]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

    def encode(self, texts):
        """Splits texts into tokens, without special ones.

        Args:
            texts: sequence of strings.

        Returns:
            List of int32 arrays (tokens,), one for each text.
        """
        rows = []
        for start in range(0, len(texts), ENCODED_AT_ONCE):
            ragged = self._encode(tf.constant(list(texts[start : start + ENCODED_AT_ONCE]), tf.string))
            rows += np.split(ragged.values.numpy(), ragged.row_splits.numpy()[1:-1])
        return rows


def build_tokenizer(backbone):
    """Builds the tokenizer of an encoder.

    Args:
        backbone: a name of `TEXT_BACKBONES`, or the folder of a KerasHub preset or of a Hugging Face checkpoint.

    Returns:
        `TextTokenizer`.

    Raises:
        InputError: the encoder is unknown, cannot be fetched, or has no vocabulary.
    """
    source = find_text_source(backbone)
    with hub_errors(source.preset):
        layer = _open_tokenizer(source)
        return TextTokenizer(layer, class_name=source.class_name, max_tokens=_positions(source))


def copied_tokenizer(layer, *, name, sequence_length):
    """Copies a tokenizer of KerasHub, its vocabulary included.

    Args:
        layer: KerasHub's tokenizer.
        name: name of the copy.
        sequence_length: length of the rows that the copy gives.

    Returns:
        KerasHub's tokenizer.
    """
    config = {**layer.get_config(), "name": name, "sequence_length": sequence_length}
    if hasattr(layer, "proto"):
        return type(layer).from_config({**config, "proto": layer.proto})
    if hasattr(layer, "merges"):
        return type(layer).from_config({**config, "vocabulary": layer.vocabulary, "merges": layer.merges})
    return type(layer).from_config({**config, "vocabulary": layer.get_vocabulary()})


def _open_tokenizer(source):
    keras_hub = importlib.import_module("keras_hub")
    if source.class_name in ("BertBackbone", "DistilBertBackbone") and source.config:
        pieces = read_word_pieces(source.folder)
        if pieces:
            kind = source.class_name.replace("Backbone", "Tokenizer")
            return getattr(keras_hub.tokenizers, kind)(**pieces)
    if source.class_name == "RobertaBackbone" and source.config:
        pieces = read_byte_pairs(source.folder)
        if pieces:
            return keras_hub.tokenizers.RobertaTokenizer(**pieces)
    check_preset(source.preset)
    layer = keras_hub.tokenizers.Tokenizer.from_preset(source.preset)
    # BERT strips accents wherever it lowers capitals; KerasHub 0.32 does only the latter.
    if getattr(layer, "lowercase", False) and not layer.strip_accents:
        layer.strip_accents = True
    if source.class_name == "AlbertBackbone":
        layer.set_proto(with_small_letters(layer.proto))
    return layer


def _positions(source):
    if source.config:
        unused = UNUSED_POSITIONS if source.class_name in ROBERTA else 0
        return source.config.get("max_position_embeddings", DEFAULT_MAX_TOKENS) - unused
    # The public way to a preset's configuration, `Backbone.from_preset`, makes all its weights, too (KerasHub 0.32).
    presets = importlib.import_module("keras_hub.src.utils.preset_utils")
    return presets.load_json(source.preset)["config"]["max_sequence_length"]
