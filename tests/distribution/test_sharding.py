from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tl_keras import data
from tl_keras.distribution.sharding import bounds_of_shard, shard_batches, shard_inputs


def cut(dataset, replicas):
    """Lists the shards that each worker loads, with one device per worker."""
    workers = []
    for worker in range(replicas):
        context = tf.distribute.InputContext(num_input_pipelines=replicas, input_pipeline_id=worker)
        strategy = SimpleNamespace(
            num_replicas_in_sync=replicas, distribute_datasets_from_function=lambda make, context=context: make(context)
        )
        workers.append(list(shard_batches(dataset, strategy).take(4)))
    return workers


@pytest.mark.parametrize("size", [0, 1, 5, 8])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_every_example_is_in_one_shard(size, replicas):
    batch = (tf.range(size), {"labels": tf.range(size) * 10})
    shards = [one for [one] in cut(tf.data.Dataset.from_tensors(batch), replicas)]
    assert np.concatenate([inputs for inputs, _ in shards]).tolist() == list(range(size))
    assert np.concatenate([targets["labels"] for _, targets in shards]).tolist() == [10 * i for i in range(size)]
    sizes = [len(inputs) for inputs, _ in shards]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("augmentation", ["none", "light", "mixup"])
def test_a_worker_reads_only_its_own_examples(augmentation):
    read = []

    class RecordingList(list):
        def __getitem__(self, row):
            read.append(int(row))
            return super().__getitem__(row)

    images = RecordingList(np.full((4, 4, 3), 10 * row, np.uint8) for row in range(9))
    labels = np.arange(9, dtype=np.int32) % 3
    image_set = data.ImageSet(images, labels, [str(row) for row in range(9)], ("a", "b", "c"))
    dataset = data.make_dataset(image_set, 4, shuffle_seed=0, augmentation=augmentation)
    whole = list(dataset.take(4))
    read.clear()
    workers = cut(dataset, 2)
    # The third step has a single example, so the first worker has none.
    assert [[len(targets) for _, targets in worker] for worker in workers] == [[2, 2, 0, 2], [2, 2, 1, 2]]
    # Five steps have 17 examples, one step read ahead included; to mix an image takes a second one.
    needed = 17 * (2 if augmentation == "mixup" else 1)
    assert len(read) < 2 * needed
    for step, (pixels, targets) in enumerate(whole):
        parts = [worker[step] for worker in workers]
        assert parts[0][0].dtype == pixels.dtype and parts[0][0].shape[1:] == pixels.shape[1:]
        if augmentation == "none":
            np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), pixels)
        if augmentation != "mixup":
            np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), targets)


def test_completed_batches_are_skipped():
    numbers = tf.data.Dataset.range(8).batch(2).map(lambda batch: (batch,))
    batches = shard_batches(numbers, tf.distribute.get_strategy(), skipped=3)
    assert [batch[0].numpy().tolist() for batch in batches] == [[6, 7]]


def test_bounds_of_ints_and_of_tensors_are_the_same():
    for size in range(7):
        for replica in range(3):
            tensors = bounds_of_shard(tf.constant(size), tf.constant(replica), 3)
            assert bounds_of_shard(size, replica, 3) == tuple(map(int, tensors))


def test_one_device_reads_whole_batches_with_example_weights():
    labels = tf.one_hot([0, 2, 1], 3)
    data = tf.data.Dataset.from_tensor_slices((tf.range(3), labels)).batch(2)
    inputs = {"x": data, "shuffle": False, "validation_data": data, "class_weight": {0: 1.0, 1: 2.0, 2: 5.0}}
    sharded = shard_inputs(inputs, tf.distribute.get_strategy())
    assert sharded.keys() == {"x", "shuffle", "validation_data", "validation_steps"}
    assert sharded["validation_steps"] == 2
    batches = list(sharded["x"])
    assert [numbers.numpy().tolist() for numbers, _, _ in batches] == [[0, 1], [2]]
    assert [weights.numpy().tolist() for _, _, weights in batches] == [[1.0, 5.0], [2.0]]
    assert len(next(iter(sharded["validation_data"]))) == 2
