"""Shards of the features of one network on disk, whose rows start with the digest of their example."""

import numpy as np

from tl_keras.transfer.activations.key import activation_key

DIGEST_BYTES = 32
MAX_SHARDS = 256
MAX_SMALL_SHARDS = 16
SMALL_SHARD_BYTES = 2**26


class FeatureShards:
    """Stores the features of one network in numbered files; any of them may be missing, evicted or damaged.

    Args:
        store: `ActivationStore`, which several processes may share.
        network_key: hexadecimal SHA-256 of the network.
        width: numbers per row of features.
    """

    def __init__(self, store, network_key, width):
        self._store = store
        parts = {"features_of": network_key, "width": width}
        self._keys = [activation_key(parts | {"shard": number}) for number in range(MAX_SHARDS)]

    def read(self):
        """Opens the intact shards one after the other.

        Yields:
            (digests, rows): list of k digests of examples, and their features, float32 (k, width), memory-mapped.
        """
        for key in self._keys:
            shard = self._store.open(key)
            if shard is not None:
                digests = np.ascontiguousarray(shard[:, :DIGEST_BYTES]).view(f"V{DIGEST_BYTES}")
                yield digests.ravel().tolist(), shard[:, DIGEST_BYTES:].view(np.float32)

    def append(self, digests, rows):
        """Stores rows as a new shard, and merges the small shards if there are too many.

        Args:
            digests: list of k digests of examples, bytes of length 32.
            rows: float32 (k, width), their features.

        Raises:
            InputError: the rows do not fit into the folder or on the disk.
        """
        digests = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)
        # The lock keeps other processes from choosing the same number.
        with self._store.locked():
            self._write(self._free_key(), [np.concatenate([digests, rows.view(np.uint8)], axis=1)])
            self._merge_small()

    def _merge_small(self):
        small = [key for key in self._keys if 0 < self._store.num_bytes(key) < SMALL_SHARD_BYTES]
        # The small shards stay on the disk until the merged one is complete.
        needed = 2 * sum(map(self._store.num_bytes, small))
        if len(small) <= MAX_SMALL_SHARDS or needed > self._store.room():
            return
        shards = [shard for shard in map(self._store.open, small) if shard is not None]
        if not shards:
            return
        merged = self._free_key()
        self._write(merged, shards)
        for key in small:
            if key != merged:
                self._store.remove(key)

    def _write(self, key, shards):
        shape = (sum(map(len, shards)), shards[0].shape[1])
        with self._store.create(key, shape, "uint8") as writer:
            for shard in shards:
                writer.append(shard)

    def _free_key(self):
        # If no number is free, the rows of the last one are lost and computed again when they are needed.
        return next((key for key in self._keys if not self._store.holds(key)), self._keys[-1])
