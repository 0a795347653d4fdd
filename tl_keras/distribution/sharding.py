"""Cuts batches into a shard for each replica, so that each example of a batch goes to exactly one of them."""

import tensorflow as tf


def shard_batches(dataset, strategy, skipped=0, class_weight=None):
    """Cuts every batch of a dataset into shards, those of this worker's replicas in turn.

    A step over all replicas sees the examples that a step on one device sees. Of a `dataset_of_steps` a worker loads
    its own shards alone; of another dataset it loads all batches, and takes its part of each.

    Args:
        dataset: `tf.data.Dataset` of batches, structures of tensors (batch, ...); the same on all workers.
        strategy: `tf.distribute.Strategy` that trains.
        skipped: number of batches to leave out at the beginning.
        class_weight: dict from label to the weight of its examples, which then go with each batch; or None.

    Returns:
        A distributed dataset for `fit`. Shards of a batch differ by one example at most; where there are more replicas
        than examples, some are empty.
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
    """Cuts batches that are there as a whole."""

    def shards_of(*batch):
        size = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]
        return tf.data.Dataset.range(first, first + count).map(
            lambda number: tf.nest.map_structure(lambda tensor: tensor[slice(*bounds(size, number))], batch)
        )

    return dataset.flat_map(shards_of)


def bounds_of_shard(size, replica, replicas):
    """Says which part of a batch one replica computes.

    Args:
        size: number of examples in the batch, an int or a scalar tensor, as `replica`.
        replica: its number, from 0.
        replicas: how many there are.

    Returns:
        Tuple of the first example and the one to end before.
    """
    return size * replica // replicas, size * (replica + 1) // replicas


def shard_inputs(inputs, strategy, skipped=0):
    """Makes what `fit` reads on one device into what it reads on several.

    Args:
        inputs: dict of arguments of `fit`: datasets `x` and, of known length, `validation_data`, and `class_weight`.
        strategy: `tf.distribute.Strategy` that trains.
        skipped: number of training batches to leave out at the beginning.

    Returns:
        Dict of arguments of `fit`, the class weights among the data.
    """
    validation = inputs["validation_data"]
    return {name: value for name, value in inputs.items() if name != "class_weight"} | {
        "x": shard_batches(inputs["x"], strategy, skipped, inputs.get("class_weight")),
        "validation_data": shard_batches(validation, strategy),
        "validation_steps": int(validation.cardinality()),
    }


def _weigh_classes(dataset, class_weight):
    """Adds to each batch the weights of its examples, as `fit` makes them of `class_weight` on one device."""
    if class_weight is None:
        return dataset
    weights = tf.constant([class_weight[label] for label in range(len(class_weight))], tf.float32)
    return dataset.map(lambda inputs, labels: (inputs, labels, tf.gather(weights, tf.argmax(labels, axis=-1))))
