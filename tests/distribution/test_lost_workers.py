import contextlib

import pytest
import tensorflow as tf

from tl_keras.distribution import lost_workers
from tl_keras.distribution.lost_workers import watch_workers
from tl_keras.errors import LostWorker

LOST = tf.errors.UnavailableError(None, None, "Collective ops is aborted by: Connection refused")


def test_a_lost_worker_raises_a_lost_worker_error(monkeypatch):
    monkeypatch.setattr(lost_workers, "is_multi_worker", lambda strategy: True)
    with pytest.raises(LostWorker, match="Another worker of this training is lost"), watch_workers("cluster"):
        raise LOST


def test_errors_of_a_single_process_are_unchanged():
    with pytest.raises(tf.errors.UnavailableError), watch_workers(None):
        raise LOST


@pytest.mark.parametrize("chief", [True, False])
def test_only_the_chief_ignores_lost_workers_at_the_end(chief, monkeypatch):
    def broadcast(strategy, value):
        raise LOST

    monkeypatch.setattr(lost_workers, "is_multi_worker", lambda strategy: True)
    monkeypatch.setattr(lost_workers, "is_chief", lambda strategy: chief)
    monkeypatch.setattr(lost_workers, "broadcast", broadcast)
    with contextlib.nullcontext() if chief else pytest.raises(LostWorker):
        lost_workers.barrier("cluster")
