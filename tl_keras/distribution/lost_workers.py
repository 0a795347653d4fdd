"""Detection of lost workers, so that the others stop instead of waiting forever."""

import contextlib
import importlib

from tl_keras.distribution.collectives import broadcast
from tl_keras.distribution.strategy import is_chief, is_multi_worker
from tl_keras.errors import LostWorker

LOST_WORKER_ERRORS = ("UnavailableError", "AbortedError", "CancelledError", "DeadlineExceededError")
"""TensorFlow errors of a collective operation whose peer no longer answers or has stopped sending heartbeats."""


def barrier(strategy):
    """Waits until all workers have reached the end of a run.

    A worker that exited earlier would look like a lost one.

    Args:
        strategy: `tf.distribute.Strategy`, or None for a single process.

    Raises:
        LostWorker: on a worker whose chief is lost. The chief has finished its work and ignores lost workers.
    """
    with contextlib.suppress(*[LostWorker] if is_chief(strategy) else []), watch_workers(strategy):
        broadcast(strategy, "finished")


@contextlib.contextmanager
def watch_workers(strategy):
    """Turns the errors that TensorFlow raises for a lost worker into a `LostWorker` error.

    A killed process is detected by its closed connection or, through TensorFlow's coordination service, by missing
    heartbeats. Operations that wait for it then raise an error.

    Args:
        strategy: `tf.distribute.Strategy`, or None for a single process.

    Raises:
        LostWorker: another worker was killed, hangs, or stopped with an error.
    """
    if not is_multi_worker(strategy):
        yield
        return
    errors = importlib.import_module("tensorflow").errors
    try:
        yield
    except tuple(getattr(errors, name) for name in LOST_WORKER_ERRORS) as error:
        raise LostWorker(
            "Another worker of this training is lost: check its output, then start the same command again on all "
            "workers, which resume from the newest checkpoint."
        ) from error
