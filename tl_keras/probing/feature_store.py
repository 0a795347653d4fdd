"""Store of features between runs: one row per example, found again by the digest of the example."""

import numpy as np

from tl_keras.errors import InputError, counted
from tl_keras.probing.feature_shards import DIGEST_BYTES, FeatureShards
from tl_keras.system.user_cache import user_cache
from tl_keras.transfer.activations.store import ActivationStore, drop_pages

ROWS_PER_SHARD = 2000


class FeatureStore:
    """Keeps the features of examples on disk, so that later runs only compute those of new examples.

    Several processes may share the folder. If it cannot be written or becomes full, a line is printed, and features
    are computed without being stored.

    Args:
        folder: path of the folder, created if missing; None: "features" in the user's cache.
        max_bytes: maximum total size of the folder; the least recently used files are removed first. None: nothing is
            stored.
    """

    def __init__(self, folder=None, max_bytes=None):
        self._store, self._can_write = None, True
        if max_bytes is not None:
            try:
                self._store = ActivationStore(folder or user_cache() / "features", max_bytes)
            except InputError as error:
                self._stop_writing(error)

    def rows(self, network_key, digests, width, compute):
        """Collects the features of examples: stored rows are read, the others computed and stored.

        Args:
            network_key: hexadecimal SHA-256 of everything that determines the features besides the example: layers,
                weights, dtype, image size and the versions of packages.
            digests: list of n digests of the examples, bytes of length 32, from `example_digests`.
            width: numbers per row.
            compute: function from the indices of the examples without stored features, int64 (m,), ascending, one per
                digest, to an iterable of their features in this order, float32 batches (k, width). Not called if m is
                0. At most about 2,000 computed rows are lost when the process dies.

        Returns:
            float32 (n, width), finite.

        Raises:
            InputError: computed features are NaN or infinite.
            ValueError: a digest has another length, or the batches have other shapes.
        """
        if any(len(digest) != DIGEST_BYTES for digest in digests):
            raise ValueError(f"Invalid value for argument `digests`. Expected {DIGEST_BYTES} bytes each.")
        distinct = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
        numbers = np.array([distinct[digest] for digest in digests], np.int64)
        features = np.empty((len(distinct), width), np.float32)
        shards = FeatureShards(self._store, network_key, width) if self._store else None
        missing = _read_stored(shards, distinct, features)
        if len(missing):
            indices = np.unique(numbers, return_index=True)[1][missing]
            self._compute(compute(indices), missing, features, list(distinct), shards)
        return features if len(distinct) == len(digests) else features[numbers]

    def _compute(self, batches, missing, features, distinct, shards):
        """Fills the missing rows of the features, and stores them whenever there are enough for a shard."""
        done = stored = 0
        try:
            for batch in batches:
                batch = _checked(batch, features.shape[1], len(missing) - done)
                features[missing[done : done + len(batch)]] = batch
                done += len(batch)
                if done - stored >= ROWS_PER_SHARD:
                    self._append(shards, missing[stored:done], features, distinct)
                    stored = done
        finally:
            # Also after an error or an interruption, so that the next run resumes here.
            self._append(shards, missing[stored:done], features, distinct)
        if done < len(missing):
            raise ValueError(f"Only the features of {done} of {counted(len(missing), 'example')} were computed.")

    def _append(self, shards, numbers, features, distinct):
        if shards and self._can_write and len(numbers):
            try:
                shards.append([distinct[number] for number in numbers], features[numbers])
            except (InputError, OSError) as error:
                self._stop_writing(error)

    def _stop_writing(self, error):
        self._can_write = False
        print(f"cache: features are computed but not stored: {error}", flush=True)


def _read_stored(shards, distinct, features):
    """Fills in the stored rows of the features; returns the numbers of the others, int64 (m,), ascending."""
    is_missing = np.ones(len(features), bool)
    for digests, rows in shards.read() if shards else ():
        numbers = np.array([distinct.get(digest, -1) for digest in digests])
        found = np.flatnonzero(numbers >= 0)
        for start in range(0, len(found), ROWS_PER_SHARD):
            part = found[start : start + ROWS_PER_SHARD]
            features[numbers[part]] = rows[part]
            drop_pages(rows)
        is_missing[numbers[found]] = False
    return np.flatnonzero(is_missing)


def _checked(batch, width, max_rows):
    batch = np.asarray(batch, np.float32)
    if batch.shape[1:] != (width,) or len(batch) > max_rows:
        raise ValueError(
            f"Invalid batch of features. Received shape {batch.shape}. Expected at most {max_rows} rows of {width}."
        )
    if not np.isfinite(batch).all():
        bad = np.count_nonzero(~np.isfinite(batch).all(axis=1))
        raise InputError(
            f"The features of {bad} of {counted(len(batch), 'example')} are NaN or infinite: expected finite numbers; "
            "compute them with --precision float32, or use other weights."
        )
    return batch
