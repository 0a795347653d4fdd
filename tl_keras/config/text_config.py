"""Settings of texts."""

from typing import Literal

from tl_keras.config.ranges import check_minimum
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import documented_dataclass


@documented_dataclass
class TextConfig:
    """Settings of texts and tokens; text classification only."""

    text_column: str = "text"
    """Column of a table, or feature of TensorFlow Datasets, with the texts."""
    second_text_column: str | None = None
    """Column with the second text of each pair. By default there are no pairs."""
    max_tokens: int = 128
    """Maximum number of tokens of a text, special tokens included, at least 8."""
    truncation: Literal["head", "tail", "head_tail"] = "head"
    """Part of a longer text that is kept: head (the beginning), tail (the end), or head_tail (a quarter of the tokens
    from the beginning, the rest from the end)."""
    windows: int = 1
    """Maximum number of windows of max_tokens tokens that a longer text is split into, at least 1. Their logits are
    averaged, and each is trained on the label of the text. The rest is truncated."""
    tokens_per_batch: int | None = None
    """Maximum number of tokens in a batch, padding included, at least 1. By default it follows the batch size."""

    def __post_init__(self):
        """Checks that numbers are in range and that pairs of texts are not split into windows."""
        check_minimum(self, "text.", max_tokens=8, tokens_per_batch=1, windows=1)
        if self.windows > 1 and self.second_text_column is not None:
            raise InputError(
                f"text.windows is {self.windows}, but pairs of texts are not split: leave out text.windows or "
                "text.second_text_column."
            )
