import numpy as np

from tl_keras.probing.feature_shards import FeatureShards
from tl_keras.transfer.activations.store import ActivationStore

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
DIGESTS = [bytes(32), b"\1" * 32, b"\1" * 31 + b"\0"]


def test_a_shard_gives_back_its_digests_and_rows(tmp_path):
    shards = FeatureShards(ActivationStore(tmp_path, 2**20), "a" * 64, 4)
    assert list(shards.read()) == []
    shards.append(DIGESTS, ROWS)
    shards.append(DIGESTS[:1], ROWS[:1])
    (digests, rows), (more, _) = shards.read()
    assert digests == DIGESTS and more == DIGESTS[:1]
    np.testing.assert_array_equal(rows, ROWS)
    assert isinstance(rows, np.memmap) and not rows.flags.writeable
