"""Text input of classifiers: the tokenizer in front, so that a saved model accepts strings."""

import keras
from keras import ops

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.texts.tokenizers import copied_tokenizer

TRUNCATIONS = ("head", "tail", "head_tail")
MAX_TOKENS = 2**17
"""Tokens of a text that are read if its end is kept, more than 100,000 characters usually have."""
MIN_TOKENS = 2
"""Minimum number of tokens beside the special ones."""
AFTER_ALL_TOKENS = 2**24


def with_text_input(model, tokenizer=None, *, max_tokens=None, truncation="head", windows=1, pair=False):
    """Builds a model from strings to the outputs of a token classifier, whose layers it shares.

    Rows are as long as the longest text of a batch. Texts with too many tokens are truncated:

    - "head" keeps the first tokens, "tail" the last tokens, "head_tail" fills a quarter of the room with the first and
      the rest with the last tokens, as in Sun et al., "How to Fine-Tune BERT for Text Classification?", 2019, section
      5.3.1;
    - in a pair, each text gets half of the room and what the other text leaves free; the first gets the odd token.

    The model does not clean strings. Most tokenizers of KerasHub misread words next to a no-break space or a zero-width
    character, and no layer of Keras or KerasHub 0.32 can replace them. `data.clean_text` cleans texts before training,
    and `TrainedRun.predict` cleans its texts; clean raw texts likewise before calling the model directly.

    Args:
        model: `keras.Model` from `build_text_classifier`.
        tokenizer: its `TextTokenizer`; None takes `model.tokenizer`.
        max_tokens: maximum number of tokens of a row, including special ones; None takes the number of the encoder's
            positions.
        truncation: "head", "tail" or "head_tail".
        windows: maximum number of consecutive rows that a long text is split into; their logits are averaged. Longer
            texts are truncated. Only for single texts. In training, each window is an example with the label of its
            text (`data.tokenize_splits`).
        pair: True for a model of two texts.

    Returns:
        `keras.Model` of layers of Keras and KerasHub only. In: strings (batch,), or for pairs a dictionary of them,
        "text" and "text_pair"; `predict` accepts `tf.constant` or NumPy arrays of dtype object. Out: as the classifier.
        It has the classifier's `class_names`.

    Raises:
        InputError: an argument is out of its range or unknown, or the tokenizer pads with the id of a word.
    """
    tokenizer = tokenizer or model.tokenizer
    max_tokens = max_tokens or tokenizer.max_tokens
    special = len(tokenizer.start_ids) + len(tokenizer.end_ids) + (len(tokenizer.separator_ids) if pair else 0)
    room = max_tokens - special
    _check(tokenizer, max_tokens, special, truncation, windows, pair)
    texts = {"text": keras.Input((), dtype="string", name="text")}
    if pair:
        texts["text_pair"] = keras.Input((), dtype="string", name="text_pair")
    length = room * windows if truncation == "head" else MAX_TOKENS
    rows = _tokenize(tokenizer, list(texts.values()), length)
    rows = _truncate(rows, room * windows, truncation)
    if windows == 1:
        outputs = _tail_of(model, model.output)(_frame(tokenizer, rows))
    else:
        outputs = _outputs_of_windows(model, tokenizer, rows[0], room, windows)
    result = keras.Model(texts if pair else texts["text"], outputs, name=model.name)
    result.class_names = getattr(model, "class_names", None)
    return result


def _check(tokenizer, max_tokens, special, truncation, windows, pair):
    if truncation not in TRUNCATIONS:
        raise unknown_name("text.truncation", truncation, TRUNCATIONS)
    if not special + MIN_TOKENS <= max_tokens <= tokenizer.max_tokens:
        raise InputError(
            f"text.max_tokens is {max_tokens}, expected {special + MIN_TOKENS} to {tokenizer.max_tokens}: {special} "
            "are special tokens, and the encoder has no more positions."
        )
    if windows < 1 or (pair and windows > 1):
        raise InputError(f"text.windows is {windows}, expected at least 1, and 1 for pairs of texts.")


def _tokenize(tokenizer, texts, length):
    """Returns for each text its ids (batch, length) and a mask, True for tokens and False for padding."""
    layer = copied_tokenizer(tokenizer.layer, name="text.tokenizer", sequence_length=length)
    padding, rows = tokenizer.padding_ids, []
    for text in texts:
        ids = layer(text)
        used = ops.not_equal(ids, padding[0])
        for value in padding[1:]:
            used = ops.logical_and(used, ops.not_equal(ids, value))
        rows.append(_without_empty_columns(ids, used))
    return rows


def _truncate(rows, room, truncation):
    """Returns the ids of each text and a mask, True for the tokens that are kept."""
    counts = [ops.sum(ops.cast(used, "int32"), axis=1, keepdims=True) for _, used in rows]
    rooms = [room]
    if len(rows) == 2:
        first = ops.minimum(counts[0], ops.maximum(room - counts[1], (room + 1) // 2))
        rooms = [first, room - first]
    result = []
    for (ids, used), count, own in zip(rows, counts, rooms, strict=True):
        head = {"head": own, "tail": 0 * own, "head_tail": own // 4}[truncation]
        position = _positions(ids)
        is_kept = ops.logical_or(position < head, position >= count - own + head)
        result.append((ids, ops.logical_and(used, ops.logical_or(is_kept, count <= own))))
    return result


def _frame(tokenizer, rows):
    """Adds the special tokens around the texts and moves all tokens to the front."""
    like = rows[0][0]
    parts = [(*_constant(tokenizer.start_ids, like), 0)]
    for segment, row in enumerate(rows):
        if segment:
            parts.append((*_constant(tokenizer.separator_ids, like), segment - 1))
        parts.append((*row, segment))
    parts.append((*_constant(tokenizer.end_ids, like), len(rows) - 1))
    ids = ops.concatenate([part[0] for part in parts], axis=1)
    used = ops.concatenate([part[1] for part in parts], axis=1)
    segments = ops.concatenate([ops.zeros_like(part[0]) + part[2] for part in parts], axis=1)
    order = _order(used)
    used = ops.take_along_axis(used, order, axis=1)
    ids = ops.where(used, ops.take_along_axis(ids, order, axis=1), tokenizer.pad_id)
    ids, mask = _without_empty_columns(ids, used)
    result = {"token_ids": ids, "padding_mask": ops.cast(mask, "int32")}
    if tokenizer.has_segments:
        segments = ops.where(used, ops.take_along_axis(segments, order, axis=1), 0)
        result["segment_ids"] = _without_empty_columns(segments, used)[0]
    return result


def _constant(values, like):
    """Returns the values as columns, (batch, number of values), and a mask of ones."""
    zero = ops.sum(ops.zeros_like(like), axis=1, keepdims=True)
    ids = ops.concatenate([zero + value for value in values], axis=1)
    return ids, ops.equal(ids, ids)


def _outputs_of_windows(model, tokenizer, row, room, windows):
    """Averages the logits of the windows that contain tokens; an empty text has one window."""
    ids, used = row
    order = _order(used)
    ids, used = ops.take_along_axis(ids, order, axis=1), ops.take_along_axis(used, order, axis=1)
    padding, is_padding = _constant([tokenizer.pad_id] * (room * windows), ids)
    ids = ops.concatenate([ids, padding], axis=1)[:, : room * windows]
    used = ops.concatenate([used, ops.logical_not(is_padding)], axis=1)[:, : room * windows]
    ids, used = ops.reshape(ids, (-1, room)), ops.reshape(used, (-1, room))
    has_tokens = ops.any(used, axis=1, keepdims=True)
    number = ops.cumsum(ops.ones_like(ids[:, :1]), axis=0) - 1
    is_live = ops.logical_or(has_tokens, ops.equal(number % windows, 0))[:, 0]
    live = ops.nonzero(is_live)[0]
    framed = _frame(tokenizer, [(ops.take(ids, live, axis=0), ops.take(used, live, axis=0))])
    logits = _tail_of(model, model.get_layer("head.logits").output)(framed)
    place = ops.maximum(ops.cumsum(ops.cast(is_live, "int32"), axis=0) - 1, 0)
    weight = ops.cast(is_live, "float32")[:, None]
    total = ops.reshape(ops.take(logits, place, axis=0) * weight, (-1, windows, logits.shape[-1]))
    logits = ops.sum(total, axis=1) / ops.sum(ops.reshape(weight, (-1, windows, 1)), axis=1)
    names = {layer.name for layer in model.layers}
    return model.get_layer("head.probabilities")(logits) if "head.probabilities" in names else logits


def _tail_of(model, output):
    # Calling the model would nest it; keras.Function adds its layers to the new graph.
    return keras.Function(model.input, output).call


def _positions(ids):
    return ops.cumsum(ops.ones_like(ids), axis=1) - 1


def _order(used):
    """Returns for each row the stable order of columns in which used columns come first."""
    position = _positions(ops.cast(used, "int32"))
    return ops.argsort(ops.where(used, position, position + AFTER_ALL_TOKENS), axis=1)


def _without_empty_columns(ids, used):
    columns = ops.nonzero(ops.any(used, axis=0))[0]
    return ops.take(ids, columns, axis=1), ops.take(used, columns, axis=1)
