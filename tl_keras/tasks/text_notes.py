"""Sentences on texts that the model cannot see whole: cut tokens, and tokens that the tokenizer does not know."""

from tl_keras.errors import InputError

MULTILINGUAL = "xlm_roberta_base_multi"
"""Encoder that messages propose for other languages."""
MANY_UNKNOWN = 0.1
"""Share of unknown tokens from which a note warns of them."""
NEARLY_ALL = 0.9
"""Share from which a training is refused."""


def note_cuts(config, splits):
    """Describes the tokens that were cut.

    Args:
        config: `RunConfig`.
        splits: `TokenSplits`.

    Returns:
        Tuple of at most one sentence.
    """
    if not splits.cut_tokens_share:
        return ()
    text = config.text
    return (
        f"{splits.cut_texts_share:.1%} of the texts were too long and lost {splits.cut_tokens_share:.1%} of all "
        f"tokens: raise --text.max_tokens (here {text.max_tokens}) or --text.windows ({text.windows}) to keep more of "
        f"them; --text.truncation ({text.truncation}) chooses which part stays.",
    )


def note_unknown(config, splits):
    """Warns if the tokenizer does not know many of the tokens.

    Args:
        config: `RunConfig`.
        splits: `TokenSplits`.

    Returns:
        Tuple of at most one sentence.
    """
    if splits.unknown_tokens_share < MANY_UNKNOWN:
        return ()
    return (
        f"{splits.unknown_tokens_share:.1%} of the tokens are unknown to the tokenizer of {config.model.backbone} and "
        f"look all the same to it: take an encoder of this language, or of many, such as --model.backbone "
        f"{MULTILINGUAL}.",
    )


def refuse_unknown(config, share):
    """Refuses texts of which the tokenizer knows next to nothing.

    Args:
        config: `RunConfig`.
        share: share of unknown tokens, 0 to 1.

    Raises:
        InputError: nearly all tokens are unknown.
    """
    if share >= NEARLY_ALL:
        raise InputError(
            f"The tokenizer of {config.model.backbone} does not know {share:.1%} of the tokens, so that all texts look "
            "the same to the model: take an encoder of this language, or of many languages, such as --model.backbone "
            f"{MULTILINGUAL}."
        )
