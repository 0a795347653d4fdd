"""Tokenizing of whole data sets in large batches, with a cache on disk."""

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from tl_keras.data.records import SPLITS, Records
from tl_keras.data.texts.cleaning import MAX_CHARACTERS, prepare_text
from tl_keras.data.tokens.cache import read_tokens, token_key, write_tokens
from tl_keras.data.tokens.format import arrange_tokens
from tl_keras.data.tokens.sets import TokenSet, TokenSplits
from tl_keras.data.tokens.windows import split_windows
from tl_keras.errors import InputError, counted

_TEXTS_PER_CALL = 1024


def tokenize(texts, encode, token_format, *, fingerprint="", cache_folder=None):
    """Converts texts to token ids.

    Texts are first cleaned, and very long ones are cut (see `prepare_text`). The number of tokens in the part that was
    cut off before tokenizing is estimated from the tokens per character of the rest.

    Args:
        texts: `Records` of texts, or a list of str or tuples of two str without labels.
        encode: function from a list of str to a list of int32 arrays of ids, without special tokens.
        token_format: `TokenFormat`.
        fingerprint: str that differs between tokenizers; part of the key of the cache.
        cache_folder: `Path` of the folder in which ids are cached; None: no cache.

    Returns:
        `TokenSet` in the order of the texts; its `texts` are the cleaned texts that the tokenizer got. If the format
        has more than one window, its `windows` are set.

    Raises:
        InputError: no text has a token, the texts are pairs and the format has windows, or the cache cannot be
            written.
    """
    sources = texts.sources if isinstance(texts, Records) else list(texts)
    path = cache_folder and cache_folder / f"{token_key(sources, fingerprint, token_format)}.npz"
    arrays = path and read_tokens(path)
    max_tokens = token_format.max_tokens * token_format.windows
    prepared = [prepare_text(source, max_tokens, token_format.truncation) for source in sources]
    if arrays is None:
        arrays = _tokenize(sources, prepared, encode, token_format)
        if path:
            write_tokens(path, arrays)
    tokens, offsets, segments, (cut_texts, cut_tokens) = arrays
    if len(sources) and not len(tokens):
        raise InputError(f"None of {counted(len(sources), 'text')} has a token: the tokenizer knows nothing in them.")
    has_labels = isinstance(texts, Records)
    token_set = TokenSet(
        tokens=tokens,
        offsets=offsets,
        segments=segments if token_format.has_segments else None,
        labels=texts.labels if has_labels else None,
        names=texts.names if has_labels else [f"text {number}" for number in range(1, len(sources) + 1)],
        texts=prepared,
        class_names=texts.class_names if has_labels else (),
        pad_id=token_format.pad_id,
        cut_texts=int(cut_texts),
        cut_tokens=int(cut_tokens),
    )
    if token_format.windows == 1:
        return token_set
    return replace(token_set, windows=split_windows(token_set, token_format))


def tokenize_splits(records, encode, token_format, *, fingerprint="", cache_folder=None):
    """Converts the texts of all splits to token ids.

    Args:
        records: `Records` of texts without undecided splits.
        encode: as in `tokenize`.
        token_format: as in `tokenize`.
        fingerprint: as in `tokenize`.
        cache_folder: as in `tokenize`.

    Returns:
        `TokenSplits`; in training and validation each window of a text is an example with the label of the text, in
        the test each whole text is one.

    Raises:
        InputError: as in `tokenize`.
    """
    if "" in records.splits:
        raise ValueError("Invalid value for argument `records`. Received undecided splits. Use split_records.")
    parts = {
        split: tokenize(
            records.take(records.rows(split)), encode, token_format, fingerprint=fingerprint, cache_folder=cache_folder
        )
        for split in SPLITS
    }
    for split in ("train", "validation"):
        parts[split] = parts[split].windows or parts[split]
    return TokenSplits(**parts, class_names=records.class_names)


def _tokenize(sources, prepared, encode, token_format):
    """Returns tokens, offsets, segments, and int64 (2,), the number of truncated texts and of removed tokens."""
    parts = []
    # disable=None: no bar if stderr is not a terminal.
    with tqdm(total=len(sources), desc="Tokenizing", unit="text", disable=None, leave=False) as bar:
        for start in range(0, len(sources), _TEXTS_PER_CALL):
            rows = slice(start, start + _TEXTS_PER_CALL)
            parts.append(_arrange(sources[rows], prepared[rows], encode, token_format))
            bar.update(len(sources[rows]))
    empty = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int64)
    tokens, lengths, segments, cut = (np.concatenate(arrays) for arrays in zip(empty, *parts, strict=True))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return tokens, offsets, segments, np.array([(cut > 0).sum(), cut.sum()])


def _arrange(sources, prepared, encode, token_format):
    ids, cut_before = [], np.zeros(len(sources))
    for texts, short_texts in zip(_columns(sources), _columns(prepared), strict=True):
        arrays = [np.asarray(array, np.int32) for array in encode(short_texts)]
        ids.append(arrays)
        # Characters that cleaning removed count as cut, too; counting them apart is not worth the effort.
        cut_before += [
            len(array) * (len(text) - len(short)) / len(short) if len(short) >= MAX_CHARACTERS else 0
            for array, text, short in zip(arrays, texts, short_texts, strict=True)
        ]
    tokens, lengths, segments, cut = arrange_tokens(ids[0], ids[1] if len(ids) > 1 else None, token_format)
    return tokens, lengths, segments, cut + np.ceil(cut_before).astype(np.int64)


def _columns(sources):
    return [list(column) for column in zip(*(x if isinstance(x, tuple) else (x,) for x in sources), strict=True)]
