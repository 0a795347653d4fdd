"""What a run is told about the cache of activations."""

from dataclasses import dataclass
from typing import Literal

from tl_keras.config.ranges import check_above_zero, check_least
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import document_fields


@document_fields
@dataclass(frozen=True)
class CacheConfig:
    """Whether what frozen blocks compute is computed once and kept."""

    mode: Literal["auto", "on", "off"] = "auto"
    """auto keeps activations where that saves time, and of augmented images only where views are given; on insists; off
    never keeps any."""
    views: int | None = None
    """Augmented versions of each image to keep, one for each epoch in turn; null keeps nothing of augmented data."""
    storage: Literal["auto", "memory", "disk"] = "auto"
    """Where: auto takes the disk where a folder is given or half of the free memory does not suffice."""
    max_gigabytes: float = 8.0
    """Memory that the activations may take, or the folder of all runs."""
    folder: str | None = None
    """Folder on the disk, where other runs over the same data find them; null takes one in the user's cache."""
    dtype: Literal["float32", "bfloat16"] | None = None
    """bfloat16 halves what float32 takes and rounds to 3 digits; null keeps what the network computes, exactly."""

    def __post_init__(self):
        """Refuses numbers out of range."""
        check_least(self, "cache", {"views": 1})
        check_above_zero(self, "cache", "max_gigabytes")
        if self.storage == "memory" and self.folder is not None:
            raise InputError(f"cache.folder {self.folder!r} lies on the disk, cache.storage is memory: leave one out.")
