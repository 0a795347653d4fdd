"""Tokens that a tokenizer does not know, in place of which the model sees one and the same token."""

import numpy as np


def unknown_share(parts, unknown_id, special_ids):
    """Computes the share of unknown tokens.

    Args:
        parts: iterable of `TokenSet`.
        unknown_id: id that stands for all unknown tokens; None if the tokenizer knows everything, such as bytes.
        special_ids: ids of special tokens, which do not count.

    Returns:
        Fraction of the tokens, 0 to 1; 0 without tokens.
    """
    if unknown_id is None:
        return 0.0
    unknown = sum(int(np.count_nonzero(part.tokens == unknown_id)) for part in parts)
    special = sum(int(np.isin(part.tokens, special_ids).sum()) for part in parts)
    return unknown / max(1, sum(len(part.tokens) for part in parts) - special)
