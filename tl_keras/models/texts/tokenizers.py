"""Tokenizers: from texts to token ids, with the special tokens around them."""

import contextlib
import functools
import hashlib
import importlib
import json

import numpy as np
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.texts.hugging_face import read_byte_pairs, read_word_pieces
from tl_keras.models.texts.presets import find_text_source
from tl_keras.models.texts.sentence_pieces import with_normalizer

ENCODE_BATCH_SIZE = 1024
DEFAULT_MAX_TOKENS = 512
SEGMENT_CLASSES = ("BertBackbone", "AlbertBackbone")
ROBERTA_CLASSES = ("RobertaBackbone", "XLMRobertaBackbone")
UNUSED_POSITIONS = 2


class TextTokenizer:
    """Converts texts to token ids and provides the special tokens around them.

    Attributes:
        layer: KerasHub's tokenizer.
        start_ids: tuple of the ids before a text.
        separator_ids: tuple of the ids between the two texts of a pair.
        end_ids: tuple of the ids after a text.
        pad_id: id of the padding.
        unknown_id: id in place of all that the vocabulary lacks; None if it lacks nothing.
        has_segments: True where the encoder takes segment ids for the two texts of a pair: 0 up to and including the
            separator, 1 after it.
        max_tokens: number of positions of the encoder, the maximum number of tokens including special ones.
    """

    def __init__(self, layer, *, class_name, max_tokens):
        """Wraps the tokenizer of an encoder.

        Args:
            layer: KerasHub's tokenizer.
            class_name: name of the encoder's class in `keras_hub.models`.
            max_tokens: number of positions of the encoder.
        """
        self.layer = layer
        self.start_ids = (int(layer.start_token_id),)
        self.end_ids = (int(layer.end_token_id),)
        self.separator_ids = self.end_ids * (2 if class_name in ROBERTA_CLASSES else 1)
        self.pad_id = int(layer.pad_token_id)
        self.unknown_id = _unknown_id(layer)
        self.has_segments = class_name in SEGMENT_CLASSES
        self.max_tokens = max_tokens
        # Outside a graph, KerasHub's tokenizers are about 200 times slower: 40 seconds for a text of 4 MB.
        self._encode = tf.function(layer, input_signature=[tf.TensorSpec([None], tf.string)])

    @functools.cached_property
    def fingerprint(self):
        """Hexadecimal SHA-256 of the settings and the vocabulary; tokenizers that encode differently differ in it."""
        settings = {key: value for key, value in self.layer.get_config().items() if key != "name"}
        rules = getattr(self.layer, "proto", None) or getattr(self.layer, "merges", None)
        parts = [type(self.layer).__name__, settings, list(self.layer.get_vocabulary()), rules]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

    @functools.cached_property
    def padding_ids(self):
        """List of the ids that KerasHub pads rows with; they differ by class, and between eager and graph execution."""
        layer, empty = self.layer, tf.constant([""])
        length, layer.sequence_length = layer.sequence_length, 1
        try:
            with _graphs():
                in_graph = tf.function(layer)(empty)
            ids = np.unique([np.asarray(rows) for rows in (layer(empty), in_graph)]).tolist()
        finally:
            layer.sequence_length = length
        if not set(ids) <= set(layer.special_token_ids):
            raise InputError(
                f"The tokenizer pads rows with {ids}, which are words in its vocabulary: take a checkpoint whose token "
                "0 is the padding."
            )
        return ids

    def encode(self, texts):
        """Encodes texts as token ids, without special tokens.

        Args:
            texts: sequence of strings.

        Returns:
            List of int32 arrays (tokens,), one per text.
        """
        rows = []
        for start in range(0, len(texts), ENCODE_BATCH_SIZE):
            with _graphs():
                ragged = self._encode(tf.constant(list(texts[start : start + ENCODE_BATCH_SIZE]), tf.string))
            rows += np.split(ragged.values.numpy(), ragged.row_splits.numpy()[1:-1])
        return rows


def build_tokenizer(backbone):
    """Builds the tokenizer of an encoder.

    Args:
        backbone: a name of `TEXT_BACKBONES`, or the folder of a KerasHub preset or of a Hugging Face checkpoint.

    Returns:
        `TextTokenizer`.

    Raises:
        InputError: the encoder is unknown, cannot be downloaded, or has no vocabulary.
    """
    source = find_text_source(backbone)
    files = [path for pattern in ("*", "assets/*/*") for path in source.folder.glob(pattern)] if source.folder else []
    states = tuple((str(path), status.st_size, status.st_mtime_ns) for path in files if (status := path.stat()))
    return _build_tokenizer(source.preset, states)


@functools.lru_cache(maxsize=1)
def _build_tokenizer(preset, states):
    """Keeps the newest tokenizer, which a run needs for its data and for each of its models."""
    source = find_text_source(preset)
    with source.errors():
        with _untracked():
            layer = _open_tokenizer(source)
        return TextTokenizer(layer, class_name=source.class_name, max_tokens=_positions(source))


@contextlib.contextmanager
def _graphs():
    """Runs functions as graphs, also after `tf.config.run_functions_eagerly(True)`: eager ones return lists."""
    eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eager)


def _untracked():
    """Returns a context in which Keras does not look for weights among the words of a vocabulary."""
    return importlib.import_module("keras.src.utils.tracking").DotNotTrackScope()


def copied_tokenizer(layer, *, name, sequence_length):
    """Copies a tokenizer of KerasHub with its vocabulary.

    Args:
        layer: KerasHub's tokenizer.
        name: name of the copy.
        sequence_length: length of the rows that the copy returns.

    Returns:
        KerasHub's tokenizer.
    """
    config = {**layer.get_config(), "name": name, "sequence_length": sequence_length}
    if hasattr(layer, "proto"):
        config |= {"proto": layer.proto}
    elif hasattr(layer, "merges"):
        # TensorFlow wraps both where Keras does not, and the tokenizer takes no wrapper.
        config |= {"vocabulary": dict(layer.vocabulary), "merges": list(layer.merges)}
    else:
        return _with_words(type(layer).from_config(config), list(layer.vocabulary))
    with _untracked():
        return type(layer).from_config(config)


def _with_words(layer, words):
    """Gives a tokenizer its words, each of which Keras and TensorFlow would look into for weights."""
    tracking = importlib.import_module("tensorflow.python.trackable.base")
    with _untracked():
        tracking.no_automatic_dependency_tracking(type(layer).set_vocabulary)(layer, words)
    return layer


def _open_tokenizer(source):
    keras_hub = importlib.import_module("keras_hub")
    if source.class_name in ("BertBackbone", "DistilBertBackbone") and source.config:
        pieces = read_word_pieces(source.folder)
        if pieces:
            kind = source.class_name.replace("Backbone", "Tokenizer")
            words = pieces.pop("vocabulary")
            return _with_words(getattr(keras_hub.tokenizers, kind)(**pieces), words)
    if source.class_name == "RobertaBackbone" and source.config:
        pieces = read_byte_pairs(source.folder)
        if pieces:
            return keras_hub.tokenizers.RobertaTokenizer(**pieces)
    check_preset(source.preset)
    layer = keras_hub.tokenizers.Tokenizer.from_preset(source.preset)
    # Rows of a fixed length would be padded to it, whatever length a preset states; `encode` takes rows of any.
    layer.sequence_length = None
    # BERT strips accents wherever it lowers capitals; KerasHub 0.32 only lowers.
    if getattr(layer, "lowercase", False) and not layer.strip_accents:
        layer.strip_accents = True
    if source.class_name == "AlbertBackbone":
        layer.set_proto(with_normalizer(layer.proto))
    return layer


def _unknown_id(layer):
    if hasattr(layer, "unk_token_id"):
        return int(layer.unk_token_id)
    if hasattr(layer, "oov_token"):
        return int(layer.token_to_id(layer.oov_token))
    # SentencePiece maps a piece that it does not know to its unknown id, and pairs of bytes know everything.
    return int(layer.token_to_id("<unk>")) if hasattr(layer, "proto") else None


def _positions(source):
    if source.config:
        unused = UNUSED_POSITIONS if source.class_name in ROBERTA_CLASSES else 0
        return source.config.get("max_position_embeddings", DEFAULT_MAX_TOKENS) - unused
    # The public `Backbone.from_preset` would create all weights as well (KerasHub 0.32).
    presets = importlib.import_module("keras_hub.src.utils.preset_utils")
    return presets.load_json(source.preset)["config"]["max_sequence_length"]
