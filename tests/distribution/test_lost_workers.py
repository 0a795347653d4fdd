import contextlib

import pytest
import tensorflow as tf

from tl_keras.distribution import lost_workers
from tl_keras.distribution.lost_workers import watch_workers
from tl_keras.errors import LostWorker

GONE = tf.errors.UnavailableError(None, None, "Collective ops is aborted by: Connection refused")


def test_a_lost_worker_is_a_sentence(monkeypatch):
    monkeypatch.setattr(lost_workers, "is_multi_worker", lambda strategy: True)
    with pytest.raises(LostWorker, match="Another worker of this training is gone"), watch_workers("cluster"):
        raise GONE


def test_alone_errors_are_what_they_are():
    with pytest.raises(tf.errors.UnavailableError), watch_workers(None):
        raise GONE


@pytest.mark.parametrize("chief", [True, False])
def test_at_the_end_only_the_chief_does_not_mind_who_is_gone(chief, monkeypatch):
    def broadcast(strategy, value):
        raise GONE

    monkeypatch.setattr(lost_workers, "is_multi_worker", lambda strategy: True)
    monkeypatch.setattr(lost_workers, "is_chief", lambda strategy: chief)
    monkeypatch.setattr(lost_workers, "broadcast", broadcast)
    with contextlib.nullcontext() if chief else pytest.raises(LostWorker):
        lost_workers.part("cluster")
