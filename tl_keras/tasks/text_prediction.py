"""Predicting texts in batches of similar length, as token ids or as strings."""

import numpy as np

from tl_keras import data, models
from tl_keras.tasks.saved_predictions import check_probabilities
from tl_keras.tasks.text_mistakes import one_line, texts_of


def predict_texts(model, examples, batch_size):
    """Computes the probabilities of texts.

    Args:
        model: classifier over token ids, or over strings as it is saved.
        examples: `TokenSet` of n texts; over strings also `Records`.
        batch_size: texts computed at once.

    Returns:
        float32 (n, num_classes), in the order of the texts.
    """
    if takes_tokens(model) and examples.windows is not None:
        return _predict_windows(model, examples.windows, batch_size)
    probabilities = np.zeros((len(examples), model.output_shape[-1]), "float32")
    for rows, inputs in _batches(model, examples, batch_size):
        predicted = model.predict_on_batch(inputs)
        # A model over strings was opened from a file.
        probabilities[rows] = predicted if takes_tokens(model) else check_probabilities(predicted, len(rows))
    return probabilities


def _batches(model, examples, batch_size):
    """Yields (rows, inputs) of batches of similar length."""
    if takes_tokens(model):
        yield from data.token_batches(examples, batch_size, few_shapes=model.jit_compile)
        return
    yield from _string_batches(model, texts_of(examples), batch_size)


def embed_texts(model, texts, batch_size):
    """Computes the features of texts.

    Args:
        model: `keras.Model` from strings to features; it may return several rows for a text if the batch size is 1.
        texts: list of n str, or of tuples of two.
        batch_size: texts computed at once.

    Returns:
        float32 (n, channels), in the order of the texts.
    """
    features = np.zeros((len(texts), model.output_shape[-1]), "float32")
    for rows, inputs in _string_batches(model, texts, batch_size):
        computed = model.predict_on_batch(inputs)
        features[rows] = computed.mean(0) if batch_size == 1 else computed
    return features


def _string_batches(model, texts, batch_size):
    order = np.argsort([len(one_line(text)) for text in texts], kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, _string_inputs(model, [texts[row] for row in rows])


def takes_tokens(model):
    """Returns whether a text classifier takes token ids, as in training, and not strings, as it is saved."""
    return isinstance(model.input, dict) and "token_ids" in model.input


def _predict_windows(model, windows, batch_size):
    """Averages the logits over the windows of each text, as the saved model does."""
    to_logits = models.logits_part(model)
    logits = np.zeros((len(windows), model.output_shape[-1]), "float32")
    for rows, inputs in _batches(to_logits, windows, batch_size):
        logits[rows] = to_logits.predict_on_batch(inputs)
    return models.average_windows(model, logits, windows.owners)


def _string_inputs(model, texts):
    if not isinstance(model.input, dict):
        return np.array(texts, object)
    first, second = zip(*texts, strict=True)
    return {"text": np.array(first, object), "text_pair": np.array(second, object)}
