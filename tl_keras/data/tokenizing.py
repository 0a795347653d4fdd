"""Texts to token ids, once: in large batches, long texts cut before, and kept on disk for the next run."""

import numpy as np
from tqdm import tqdm

from tl_keras.data.records import SPLITS, Records
from tl_keras.data.token_cache import read_tokens, token_key, write_tokens
from tl_keras.data.token_format import arrange_tokens
from tl_keras.data.token_sets import TokenSet, TokenSplits
from tl_keras.errors import InputError

# Three times what English takes on average. Texts are cut to this before the tokenizer, which may take a minute for
# a text of 4 MB, sees them.
CHARACTERS_PER_TOKEN = 16

_TEXTS_AT_ONCE = 1024


def tokenize(texts, encode, token_format, *, fingerprint="", cache_folder=None):
    """Turns texts into token ids.

    Texts are first cut to `CHARACTERS_PER_TOKEN` * `max_tokens` characters, from the end that stays. So of a text that
    is cut twice the number of tokens left out is an estimate: as many as its kept characters had, per character.

    Args:
        texts: `Records` of texts, or a list of str or tuples of two str, of which no labels are known.
        encode: function from a list of str to as many int32 arrays of ids, without special tokens.
        token_format: `TokenFormat`.
        fingerprint: str that differs where `encode` does; part of the key in the cache.
        cache_folder: `Path` where ids are kept for the next time; None: nowhere.

    Returns:
        `TokenSet`, in the order of the texts.

    Raises:
        InputError: no text has a token, or the cache cannot be written.
    """
    sources = texts.sources if isinstance(texts, Records) else list(texts)
    path = cache_folder and cache_folder / f"{token_key(sources, fingerprint, token_format)}.npz"
    arrays = path and read_tokens(path)
    if arrays is None:
        arrays = _tokenize(sources, encode, token_format)
        if path:
            write_tokens(path, arrays)
    tokens, offsets, segments, (cut_texts, cut_tokens) = arrays
    if len(sources) and not len(tokens):
        raise InputError(f"None of {len(sources)} texts has a token: the tokenizer knows nothing in them.")
    known = isinstance(texts, Records)
    return TokenSet(
        tokens=tokens,
        offsets=offsets,
        segments=segments if token_format.has_segments else None,
        labels=texts.labels if known else None,
        names=texts.names if known else [f"text {number}" for number in range(1, len(sources) + 1)],
        texts=sources,
        class_names=texts.class_names if known else (),
        pad_id=token_format.pad_id,
        cut_texts=int(cut_texts),
        cut_tokens=int(cut_tokens),
    )


def tokenize_splits(records, encode, token_format, *, fingerprint="", cache_folder=None):
    """Turns the texts of every split into token ids.

    Args:
        records: `Records` of texts whose splits are all decided.
        encode: as in `tokenize`.
        token_format: as in `tokenize`.
        fingerprint: as in `tokenize`.
        cache_folder: as in `tokenize`.

    Returns:
        `TokenSplits`.

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
    return TokenSplits(**parts, class_names=records.class_names)


def _tokenize(sources, encode, token_format):
    """Returns tokens, offsets, segments, and int64 (2,): how many texts were cut, and how many tokens of them."""
    chunks = [sources[start : start + _TEXTS_AT_ONCE] for start in range(0, len(sources), _TEXTS_AT_ONCE)]
    done = []
    # disable=None: no bar where stderr is not a terminal.
    with tqdm(total=len(sources), desc="Tokenizing", unit="text", disable=None, leave=False) as bar:
        for chunk in chunks:
            done.append(_arrange(chunk, encode, token_format))
            bar.update(len(chunk))
    empty = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int64)
    tokens, lengths, segments, cut = (np.concatenate(arrays) for arrays in zip(empty, *done, strict=True))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return tokens, offsets, segments, np.array([(cut > 0).sum(), cut.sum()])


def _arrange(sources, encode, token_format):
    pairs = [source if isinstance(source, tuple) else (source,) for source in sources]
    columns = list(zip(*pairs, strict=True))
    ids, unseen = [], np.zeros(len(sources))
    for column in columns:
        shown = [_shown(text, token_format) for text in column]
        found = [np.asarray(array, np.int32) for array in encode(shown)]
        ids.append(found)
        unseen += [
            len(array) * (len(text) - len(part)) / max(1, len(part))
            for array, text, part in zip(found, column, shown, strict=True)
        ]
    tokens, lengths, segments, cut = arrange_tokens(ids[0], ids[1] if len(ids) > 1 else None, token_format)
    return tokens, lengths, segments, cut + np.ceil(unseen).astype(np.int64)


def _shown(text, token_format):
    """Returns the part of a text that may have tokens which stay."""
    most = CHARACTERS_PER_TOKEN * token_format.max_tokens
    if len(text) <= most:
        return text
    if token_format.truncation == "head_tail":
        return f"{text[: most // 2]} {text[-most // 2 :]}"
    return text[:most] if token_format.truncation == "head" else text[-most:]
