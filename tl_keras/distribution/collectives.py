"""What one worker decides for all: the chief's word, sent through TensorFlow's own all-reduce."""

import functools
import importlib
import json

import numpy as np

from tl_keras.distribution.strategy import is_chief, is_multi_worker


def broadcast(strategy, value):
    """Sends a value from the chief to the other workers. All of them have to call it, in the same order.

    Args:
        strategy: `tf.distribute.Strategy`.
        value: of the chief, ready for JSON; what the others give is ignored.

    Returns:
        The value of the chief.
    """
    if not is_multi_worker(strategy):
        return value
    text = json.dumps(value).encode() if is_chief(strategy) else b""
    length = int(_summed(strategy, np.array([len(text)], "int32"))[0])
    words = np.zeros(-(-length // 4), "int32")
    words.view("uint8")[: len(text)] = np.frombuffer(text, "uint8")
    return json.loads(_summed(strategy, words).view("uint8")[:length].tobytes())


def broadcast_array(strategy, array):
    """Sends an array from the chief to the other workers, to the last bit. All of them have to call it.

    Args:
        strategy: `tf.distribute.Strategy`.
        array: NumPy array; what the others give is ignored but for its shape and dtype, those of the chief's.

    Returns:
        The array of the chief.
    """
    if not is_multi_worker(strategy):
        return array
    content = np.zeros(-(-array.nbytes // 4), "int32")
    if is_chief(strategy):
        content.view("uint8")[: array.nbytes] = np.ascontiguousarray(array).reshape(-1).view("uint8")
    return _summed(strategy, content).view("uint8")[: array.nbytes].view(array.dtype).reshape(array.shape)


def any_worker(strategy, flags):
    """Tells of each of some flags whether a worker has raised it. All of them have to call it.

    Args:
        strategy: `tf.distribute.Strategy`.
        flags: list of bool.

    Returns:
        List of bool, the same on all workers.
    """
    if not is_multi_worker(strategy):
        return flags
    return [count > 0 for count in _summed(strategy, np.array(flags, "int32")).tolist()]


def _summed(strategy, words):
    """Adds int32 arrays of all workers; where only one's is not zero, that is its bits."""
    return strategy.experimental_local_results(_adder(strategy)(words))[0].numpy()


@functools.cache
def _adder(strategy):
    """Compiles the addition for arrays of any length: called for every step, eager it would take four times as long."""
    tf = importlib.import_module("tensorflow")
    local = len(strategy.extended.worker_devices)

    def add(words):
        replica = tf.distribute.get_replica_context()
        # Of a worker with several devices only the first may speak.
        spoken = words if replica.replica_id_in_sync_group % local == 0 else tf.zeros_like(words)
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, spoken)

    return tf.function(
        lambda words: strategy.run(add, args=(words,)), input_signature=[tf.TensorSpec((None,), tf.int32)]
    )
