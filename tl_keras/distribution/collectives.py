"""Collective operations between workers, built on TensorFlow's all-reduce."""

import functools
import importlib
import json

import numpy as np

from tl_keras.distribution.strategy import is_chief, is_multi_worker


def broadcast(strategy, value):
    """Sends a JSON value from the chief to the other workers.

    All workers must call it, in the same order.

    Args:
        strategy: `tf.distribute.Strategy`, or None for a single process.
        value: JSON-serializable value of the chief; the values of other workers are ignored.

    Returns:
        The value of the chief.
    """
    if not is_multi_worker(strategy):
        return value
    text = json.dumps(value).encode() if is_chief(strategy) else b""
    length = int(_all_reduce(strategy, np.array([len(text)], "int32"))[0])
    return json.loads(broadcast_array(strategy, np.frombuffer(text or bytes(length), "uint8")).tobytes())


def broadcast_array(strategy, array):
    """Sends an array from the chief to the other workers, bit by bit.

    All workers must call it, in the same order.

    Args:
        strategy: `tf.distribute.Strategy`, or None for a single process.
        array: NumPy array of the chief; the other workers' arrays need the same shape and dtype, their values are
            ignored.

    Returns:
        The array of the chief.
    """
    if not is_multi_worker(strategy):
        return array
    content = np.zeros(-(-array.nbytes // 4), "int32")
    if is_chief(strategy):
        content.view("uint8")[: array.nbytes] = np.ascontiguousarray(array).reshape(-1).view("uint8")
    return _all_reduce(strategy, content).view("uint8")[: array.nbytes].view(array.dtype).reshape(array.shape)


def any_worker(strategy, flags):
    """Combines flags of all workers by a logical or.

    All workers must call it, in the same order.

    Args:
        strategy: `tf.distribute.Strategy`, or None for a single process.
        flags: list of bool.

    Returns:
        List of bool, the same on all workers: True where any worker's flag is.
    """
    if not is_multi_worker(strategy):
        return flags
    return [count > 0 for count in _all_reduce(strategy, np.array(flags, "int32")).tolist()]


def _all_reduce(strategy, words):
    """Adds int32 arrays of all workers, which copies the bits if only one of them is not zero."""
    return strategy.experimental_local_results(_compiled_sum(strategy)(words))[0].numpy()


@functools.cache
def _compiled_sum(strategy):
    """Compiles the addition for arrays of any length; it runs in every step, and eagerly takes four times as long."""
    tf = importlib.import_module("tensorflow")
    local = len(strategy.extended.worker_devices)

    def add(words):
        replica = tf.distribute.get_replica_context()
        # Only the first device of a worker may contribute.
        contribution = words if replica.replica_id_in_sync_group % local == 0 else tf.zeros_like(words)
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, contribution)

    return tf.function(
        lambda words: strategy.run(add, args=(words,)), input_signature=[tf.TensorSpec((None,), tf.int32)]
    )
