"""Cuts batches into a shard for each replica, so that each example of a batch goes to exactly one of them."""

import tensorflow as tf


def shard_batches(dataset, strategy):
    """Cuts every batch of a dataset into shards, those of this worker's replicas in turn.

    Every worker reads the same batches and takes its own part of each. So a step over all replicas sees the examples
    that a step on one device sees, augmented alike.

    Args:
        dataset: `tf.data.Dataset` of batches, structures of tensors (batch, ...); the same on all workers.
        strategy: `tf.distribute.Strategy` that trains.

    Returns:
        A distributed dataset for `fit`. Shards of a batch differ by one example at most; where there are more replicas
        than examples, some are empty.
    """
    replicas = strategy.num_replicas_in_sync

    def own_shards(context):
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local
        if local == 1:
            shards = dataset.map(lambda *batch: shard_of(batch, first, replicas), num_parallel_calls=tf.data.AUTOTUNE)
        else:
            shards = dataset.flat_map(
                lambda *batch: tf.data.Dataset.range(first, first + local).map(
                    lambda replica: shard_of(batch, replica, replicas)
                )
            )
        return shards.prefetch(2 * local)

    return strategy.distribute_datasets_from_function(own_shards)


def shard_of(batch, replica, replicas):
    """Takes the part of a batch that one replica computes.

    Args:
        batch: structure of tensors (batch, ...).
        replica: its number, from 0.
        replicas: how many there are.

    Returns:
        The same structure of tensors (shard, ...).
    """
    replica, size = tf.cast(replica, tf.int64), tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]
    start, end = size * replica // replicas, size * (replica + 1) // replicas
    return tf.nest.map_structure(lambda tensor: tensor[start:end], batch)


def shard_inputs(inputs, strategy):
    """Makes what `fit` reads on one device into what it reads on several.

    Args:
        inputs: dict of arguments of `fit`: datasets `x` and, of known length, `validation_data`, and `class_weight`.
        strategy: `tf.distribute.Strategy` that trains.

    Returns:
        Dict of arguments of `fit`, the class weights among the data.
    """
    validation = inputs["validation_data"]
    return {name: value for name, value in inputs.items() if name != "class_weight"} | {
        "x": shard_batches(_weigh_classes(inputs["x"], inputs.get("class_weight")), strategy),
        "validation_data": shard_batches(validation, strategy),
        "validation_steps": int(validation.cardinality()),
    }


def _weigh_classes(dataset, class_weight):
    """Adds to each batch the weights of its examples, as `fit` makes them of `class_weight` on one device."""
    if class_weight is None:
        return dataset
    weights = tf.constant([class_weight[label] for label in range(len(class_weight))], tf.float32)
    return dataset.map(lambda inputs, labels: (inputs, labels, tf.gather(weights, tf.argmax(labels, axis=-1))))
