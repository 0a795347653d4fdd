"""What a run is told about texts."""

from dataclasses import dataclass
from typing import Literal

from tl_keras.config.ranges import check_least
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import document_fields


@document_fields
@dataclass(frozen=True)
class TextConfig:
    """How texts are read; only for the tasks of text."""

    text_column: str = "text"
    """Column of a table, or feature of TensorFlow Datasets, that holds the texts."""
    second_text_column: str | None = None
    """Column of the second text of each pair; null has no pairs."""
    max_tokens: int = 128
    """Most tokens of a text that the model sees, special ones included."""
    truncation: Literal["head", "tail", "head_tail"] = "head"
    """What stays of a longer text: its beginning, its end, or a quarter of the room for the one, the rest for the
    other."""
    windows: int = 1
    """Into how many pieces of max_tokens a longer text is split, whose logits are averaged; each learns the label of
    the whole. Truncation cuts what does not fit into them."""
    tokens_per_batch: int | None = None
    """Most tokens of a batch, padding included; null chooses it by the batch size."""

    def __post_init__(self):
        """Refuses numbers out of range, and windows of pairs."""
        check_least(self, "text", {"max_tokens": 8, "tokens_per_batch": 1, "windows": 1})
        if self.windows > 1 and self.second_text_column is not None:
            raise InputError(
                f"text.windows is {self.windows}, but pairs of texts are not split: leave it out, or "
                "text.second_text_column."
            )
