"""What a worker does when another one is gone: it says so and stops, in place of waiting for ever."""

import contextlib
import importlib

from tl_keras.distribution.collectives import broadcast
from tl_keras.distribution.strategy import is_chief, is_multi_worker
from tl_keras.errors import LostWorker

SIGNS = ("UnavailableError", "AbortedError", "CancelledError", "DeadlineExceededError")
"""What a collective operation ends with when a peer no longer answers or, by its missing heartbeats, is given up."""


def barrier(strategy):
    """Lets workers wait for the chief at the end of a run: one that leaves earlier looks like one that was lost.

    Args:
        strategy: `tf.distribute.Strategy`; None where there are no workers.

    Raises:
        LostWorker: to a worker whose chief is gone. The chief has done its work and does not mind who is gone.
    """
    with contextlib.suppress(*[LostWorker] if is_chief(strategy) else []), watch_workers(strategy):
        broadcast(strategy, "all is written")


@contextlib.contextmanager
def watch_workers(strategy):
    """Turns what TensorFlow raises when a worker is gone into one sentence.

    A killed process is noticed by its closed connection or, by TensorFlow's coordination service, by heartbeats that
    stay out; then operations that wait for it end with an error.

    Args:
        strategy: `tf.distribute.Strategy`; None where there are no workers.

    Raises:
        LostWorker: another worker was killed, hangs, or stopped for a reason of its own.
    """
    if not is_multi_worker(strategy):
        yield
        return
    errors = importlib.import_module("tensorflow").errors
    try:
        yield
    except tuple(getattr(errors, name) for name in SIGNS) as error:
        raise LostWorker(
            "Another worker of this training is gone: look into its output, then start the same command again on all "
            "workers, which go on from the newest checkpoint."
        ) from error
