"""Splitting of batches into one shard per replica; each example is in exactly one shard."""

import tensorflow as tf


def shard_batches(dataset, strategy, skipped=0, class_weight=None):
    """Splits every batch of a dataset into shards for the replicas of this worker.

    A step over all replicas processes the same examples as a step on one device. From a `dataset_of_steps` a worker
    loads only its own shards; from another dataset it loads all batches and takes its part of each.

    Args:
        dataset: `tf.data.Dataset` of batches, structures of tensors (batch, ...); the same on all workers.
        strategy: `tf.distribute.Strategy` of the training.
        skipped: number of batches to skip at the start, 0 or more, default 0.
        class_weight: dict from label to the weight of its examples, added to each batch; None (default): no weights.

    Returns:
        Distributed dataset for `fit`. The shards of a batch differ by at most one example; with more replicas than
        examples, some are empty.
    """
    replicas = strategy.num_replicas_in_sync

    def bounds(size, replica):
        return bounds_of_shard(size, replica, replicas)

    def own_shards(context):
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local
        cut = getattr(dataset, "cut", None) or (lambda *which: _cut_loaded(dataset, *which))
        shards = _weigh_classes(cut(first, local, bounds), class_weight)
        return shards.skip(skipped * local).prefetch(2 * local)

    return strategy.distribute_datasets_from_function(own_shards)


def _cut_loaded(dataset, first, count, bounds):
    """Splits batches that are loaded as a whole."""

    def shards_of(*batch):
        size = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]
        return tf.data.Dataset.range(first, first + count).map(
            lambda number: tf.nest.map_structure(lambda tensor: tensor[slice(*bounds(size, number))], batch)
        )

    return dataset.flat_map(shards_of)


def bounds_of_shard(size, replica, replicas):
    """Computes which part of a batch belongs to a replica.

    Args:
        size: number of examples in the batch, int or scalar tensor.
        replica: index of the replica from 0, int or scalar tensor.
        replicas: number of replicas, int.

    Returns:
        Tuple of the first index and the index after the last.
    """
    return size * replica // replicas, size * (replica + 1) // replicas


def shard_inputs(inputs, strategy, skipped=0):
    """Converts the arguments of `fit` for one device to those for several devices.

    Args:
        inputs: dict of arguments of `fit`: a dataset `x`, a dataset `validation_data` of known length, and optionally
            `class_weight`.
        strategy: `tf.distribute.Strategy` of the training.
        skipped: number of training batches to skip at the start, 0 or more, default 0.

    Returns:
        Dict of arguments of `fit`, with the class weights as part of the data.
    """
    validation = inputs["validation_data"]
    return {name: value for name, value in inputs.items() if name != "class_weight"} | {
        "x": shard_batches(inputs["x"], strategy, skipped, inputs.get("class_weight")),
        "validation_data": shard_batches(validation, strategy),
        "validation_steps": int(validation.cardinality()),
    }


def _weigh_classes(dataset, class_weight):
    """Adds the weights of the examples to each batch, as `fit` does with `class_weight` on one device."""
    if class_weight is None:
        return dataset
    weights = tf.constant([class_weight[label] for label in range(len(class_weight))], tf.float32)
    return dataset.map(lambda inputs, labels: (inputs, labels, tf.gather(weights, tf.argmax(labels, axis=-1))))
