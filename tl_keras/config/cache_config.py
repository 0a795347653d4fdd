"""Settings of the activation cache."""

from typing import Literal

from tl_keras.config.ranges import check_above_zero, check_minimum
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import documented_dataclass


@documented_dataclass
class CacheConfig:
    """Settings of the cache for the activations of frozen blocks."""

    mode: Literal["auto", "on", "off"] = "auto"
    """auto caches activations if that saves time, and those of augmented images only if views is set; on always caches;
    off never does."""
    views: int | None = None
    """Number of augmented versions of each image to cache, used in turn, one per epoch; at least 1. By default
    activations of augmented images are not cached."""
    storage: Literal["auto", "memory", "disk"] = "auto"
    """Place of the cache: memory or disk. auto uses the disk if a folder is set or half of the free memory is too
    small."""
    max_gigabytes: float = 8.0
    """Maximum size of the cache in gigabytes, above 0: in memory that of this run, on the disk that of the whole
    folder."""
    folder: str | None = None
    """Folder of the cache on the disk, shared by runs on the same data. By default a folder in the user's cache."""
    dtype: Literal["float32", "bfloat16"] | None = None
    """Data type of cached activations: bfloat16 halves the size of float32 and rounds to 3 digits. By default that of
    the network, without rounding."""

    def __post_init__(self):
        """Checks that numbers are in range and that a folder is not combined with memory."""
        check_minimum(self, "cache.", views=1)
        check_above_zero(self, "cache.", "max_gigabytes")
        if self.storage == "memory" and self.folder is not None:
            raise InputError(f"cache.folder {self.folder!r} has no effect with cache.storage memory: leave one out.")
