"""Texts to token ids, once: in large batches, long texts cut before, and kept on disk for the next run."""

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from tl_keras.data.records import SPLITS, Records
from tl_keras.data.texts.cleaning import MAX_CHARACTERS, prepare_text
from tl_keras.data.tokens.cache import read_tokens, token_key, write_tokens
from tl_keras.data.tokens.format import arrange_tokens
from tl_keras.data.tokens.sets import TokenSet, TokenSplits
from tl_keras.data.tokens.windows import split_windows
from tl_keras.errors import InputError

_TEXTS_AT_ONCE = 1024


def tokenize(texts, encode, token_format, *, fingerprint="", cache_folder=None):
    """Turns texts into token ids.

    Texts are first cleaned, and cut where they have 100,000 characters or more (see `prepare_text`). So of a text that
    is cut twice the number of tokens left out is an estimate: as many as its kept characters had, per character.

    Args:
        texts: `Records` of texts, or a list of str or tuples of two str, of which no labels are known.
        encode: function from a list of str to as many int32 arrays of ids, without special tokens.
        token_format: `TokenFormat`.
        fingerprint: str that differs where `encode` does; part of the key in the cache.
        cache_folder: `Path` where ids are kept for the next time; None: nowhere.

    Returns:
        `TokenSet`, in the order of the texts; its `texts` are what the tokenizer saw of them. Where the format has
        windows, its `windows` are theirs.

    Raises:
        InputError: no text has a token, pairs are to be split into windows, or the cache cannot be written.
    """
    sources = texts.sources if isinstance(texts, Records) else list(texts)
    path = cache_folder and cache_folder / f"{token_key(sources, fingerprint, token_format)}.npz"
    arrays = path and read_tokens(path)
    room = token_format.max_tokens * token_format.windows
    shown = [prepare_text(source, room, token_format.truncation) for source in sources]
    if arrays is None:
        arrays = _tokenize(sources, shown, encode, token_format)
        if path:
            write_tokens(path, arrays)
    tokens, offsets, segments, (cut_texts, cut_tokens) = arrays
    if len(sources) and not len(tokens):
        raise InputError(f"None of {len(sources)} texts has a token: the tokenizer knows nothing in them.")
    known = isinstance(texts, Records)
    token_set = TokenSet(
        tokens=tokens,
        offsets=offsets,
        segments=segments if token_format.has_segments else None,
        labels=texts.labels if known else None,
        names=texts.names if known else [f"text {number}" for number in range(1, len(sources) + 1)],
        texts=shown,
        class_names=texts.class_names if known else (),
        pad_id=token_format.pad_id,
        cut_texts=int(cut_texts),
        cut_tokens=int(cut_tokens),
    )
    if token_format.windows == 1:
        return token_set
    return replace(token_set, windows=split_windows(token_set, token_format))


def tokenize_splits(records, encode, token_format, *, fingerprint="", cache_folder=None):
    """Turns the texts of every split into token ids.

    Args:
        records: `Records` of texts whose splits are all decided.
        encode: as in `tokenize`.
        token_format: as in `tokenize`.
        fingerprint: as in `tokenize`.
        cache_folder: as in `tokenize`.

    Returns:
        `TokenSplits`: for training and validation each window of a text is an example of its own, with the text's
        label; the test goes by whole texts.

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


def _tokenize(sources, shown, encode, token_format):
    """Returns tokens, offsets, segments, and int64 (2,): how many texts were cut, and how many tokens of them."""
    done = []
    # disable=None: no bar where stderr is not a terminal.
    with tqdm(total=len(sources), desc="Tokenizing", unit="text", disable=None, leave=False) as bar:
        for start in range(0, len(sources), _TEXTS_AT_ONCE):
            part = slice(start, start + _TEXTS_AT_ONCE)
            done.append(_arrange(sources[part], shown[part], encode, token_format))
            bar.update(len(sources[part]))
    empty = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int64)
    tokens, lengths, segments, cut = (np.concatenate(arrays) for arrays in zip(empty, *done, strict=True))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return tokens, offsets, segments, np.array([(cut > 0).sum(), cut.sum()])


def _arrange(sources, shown, encode, token_format):
    ids, unseen = [], np.zeros(len(sources))
    for column, parts in zip(_columns(sources), _columns(shown), strict=True):
        found = [np.asarray(array, np.int32) for array in encode(parts)]
        ids.append(found)
        # What cleaning removes is no token, but is not worth to be counted on its own.
        unseen += [
            len(array) * (len(text) - len(part)) / len(part) if len(part) >= MAX_CHARACTERS else 0
            for array, text, part in zip(found, column, parts, strict=True)
        ]
    tokens, lengths, segments, cut = arrange_tokens(ids[0], ids[1] if len(ids) > 1 else None, token_format)
    return tokens, lengths, segments, cut + np.ceil(unseen).astype(np.int64)


def _columns(sources):
    return [list(column) for column in zip(*(x if isinstance(x, tuple) else (x,) for x in sources), strict=True)]
