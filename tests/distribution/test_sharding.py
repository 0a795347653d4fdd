import numpy as np
import pytest
import tensorflow as tf

from tl_keras.distribution.sharding import shard_inputs, shard_of


@pytest.mark.parametrize("size", [0, 1, 5, 8])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_every_example_is_in_one_shard(size, replicas):
    batch = (tf.range(size), {"labels": tf.range(size) * 10})
    shards = [shard_of(batch, replica, replicas) for replica in range(replicas)]
    assert np.concatenate([inputs for inputs, _ in shards]).tolist() == list(range(size))
    assert np.concatenate([targets["labels"] for _, targets in shards]).tolist() == [10 * i for i in range(size)]
    sizes = [len(inputs) for inputs, _ in shards]
    assert max(sizes) - min(sizes) <= 1


def test_one_device_reads_whole_batches_and_class_weights_become_those_of_examples():
    labels = tf.one_hot([0, 2, 1], 3)
    data = tf.data.Dataset.from_tensor_slices((tf.range(3), labels)).batch(2)
    inputs = {"x": data, "shuffle": False, "validation_data": data, "class_weight": {0: 1.0, 1: 2.0, 2: 5.0}}
    found = shard_inputs(inputs, tf.distribute.get_strategy())
    assert found.keys() == {"x", "shuffle", "validation_data", "validation_steps"}
    assert found["validation_steps"] == 2
    batches = list(found["x"])
    assert [numbers.numpy().tolist() for numbers, _, _ in batches] == [[0, 1], [2]]
    assert [weights.numpy().tolist() for _, _, weights in batches] == [[1.0, 5.0], [2.0]]
    assert len(next(iter(found["validation_data"]))) == 2
