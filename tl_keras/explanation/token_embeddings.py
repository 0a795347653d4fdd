"""The embeddings of tokens inside a text classifier over strings, and attributions to them."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.explanation.graph_split import split_at
from tl_keras.explanation.integrated_gradients import POINTS_AT_ONCE, Attributions, integrated_gradients
from tl_keras.models.graph import ordered_nodes

TOKENIZER, EMBEDDINGS = "text.tokenizer", "embeddings.token"


@dataclass(frozen=True)
class TokenAttributions:
    """Holds the tokens of a text and their shares in the output of a class."""

    ids: np.ndarray
    """int (tokens,), without special tokens."""
    is_first: np.ndarray
    """bool (tokens,), whether a special token stands before it."""
    values: np.ndarray
    """float32 (tokens,), integrated gradients summed over the channels of the embedding."""
    attributions: Attributions
    """Those of the channels of the embeddings, with the outputs."""


def attribute_tokens(model, inputs, number):
    """Computes the integrated gradients of a class with respect to the embeddings of the tokens.

    The baseline is the same row of tokens with padding in place of the words; special tokens and positions stay.

    Args:
        model: classifier of `with_text_input`.
        inputs: str, or for a model of pairs a dict of two str.
        number: index of the class.

    Returns:
        `TokenAttributions`.
    """
    node = find_embedding(model)
    front, back = split_at(model, node.output_tensors[0], model.output)
    # Copies of the text, because the tensors beside the embeddings also belong to one text each.
    copies = tf.nest.map_structure(lambda text: tf.constant([text] * POINTS_AT_ONCE), inputs)
    ids = np.asarray(_ids_part(model, node)(copies))
    embeddings, *others = front(copies)
    tokenizer = model.get_layer(TOKENIZER)
    is_word = ~np.isin(ids, _framing_ids(tokenizer))
    baseline = node.operation(np.where(is_word, tokenizer.pad_token_id, ids))
    shape, rows = embeddings.shape, len(ids) // POINTS_AT_ONCE

    def function(points):
        hidden = tf.cast(tf.reshape(points, shape), embeddings.dtype)
        return tf.cast(back([hidden, *others])[:, number], "float32")

    found = integrated_gradients(function, *(tf.cast(one[:rows], "float32") for one in (embeddings, baseline)))
    words = is_word[:rows]
    is_first = words & ~np.pad(words, ((0, 0), (1, 0)))[:, :-1]
    return TokenAttributions(ids[:rows][words], is_first[words], found.values.sum(-1)[words], found)


def find_embedding(model):
    """Finds the call of the layer that embeds the tokens of a text classifier.

    Args:
        model: classifier of `with_text_input`.

    Returns:
        Node of the graph.

    Raises:
        InputError: the model has no embedding of tokens.
    """
    for node in ordered_nodes(model):
        if node.operation.name.startswith(EMBEDDINGS):
            return node
    raise InputError(f"The model {model.name!r} has no embedding of tokens, expected a text classifier of tl_keras.")


def _ids_part(model, node):
    return keras.Function(model.input, node.input_tensors[0])


def _framing_ids(tokenizer):
    """Returns the ids of the tokens around and behind texts."""
    return [tokenizer.start_token_id, tokenizer.end_token_id, tokenizer.pad_token_id]
