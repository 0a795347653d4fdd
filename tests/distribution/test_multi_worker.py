"""Complete trainings with two workers on this machine, separate processes that connect over the network."""

import signal
from pathlib import Path

import pytest

from tests.distribution.processes import assert_equal_runs, finish, flags, start, start_workers, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(image_folder, tmp_path_factory):
    """Trains on one device with the batches of two workers; returns the run folder."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    finish(start([*flags(image_folder, folder, **{"data.batch_size": 10})]))
    return folder


def test_two_workers_give_the_weights_of_one_and_only_the_chief_writes(alone, image_folder, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    chief, worker = map(finish, start_workers(flags(image_folder, tmp_path / "run")))
    assert "distribute: multi_worker (TF_CONFIG names 2 workers), 2 replicas" in chief
    assert "run folder:" in chief and "run folder:" not in worker
    assert chief.count("audit") == worker.count("audit") == 3
    assert not list((tmp_path / "scratch").glob("tl_keras-*"))
    assert_equal_runs(alone, tmp_path / "run", tmp_path)
    again = list(map(finish, start_workers(flags(image_folder, tmp_path / "run"))))
    assert "test: accuracy" in again[0] and "epoch" not in again[0]


def test_keras_still_fails_on_several_workers():
    """If this fails, Keras may have fixed what `SeveralSteps` replaces: `_maybe_symbolic_build` and the logs."""
    for worker in start_workers([], script=Path(__file__).with_name("plain_keras.py")):
        printed, _ = worker.communicate(timeout=300)
        assert worker.returncode == 1
        assert "Attempt to convert a value (PerReplica" in printed


def test_workers_agree_when_a_plateau_ends_a_phase(image_folder, tmp_path):
    phases = "[{train: head, epochs: 6, until: {patience: 1, min_delta: 0.5}, restore_best: true}, {train: top}]"
    both = list(map(finish, start_workers(flags(image_folder, tmp_path / "run", phases=phases))))
    assert all("ended by plateau after 2 epochs" in printed for printed in both)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_killed_worker_stops_the_other_and_both_resume(lost, alone, image_folder, tmp_path):
    arguments = flags(image_folder, tmp_path / "run")
    workers = start_workers(arguments)
    # This is in the middle of the second phase.
    wait_for("00003-000000000.npz", tmp_path / "run" / "checkpoints")
    workers[lost].send_signal(signal.SIGKILL)
    printed, _ = workers[1 - lost].communicate(timeout=300)
    workers[lost].communicate()
    assert workers[1 - lost].returncode == 3, printed
    assert "error: Another worker of this training is lost" in printed
    assert "Traceback" not in printed
    assert "resuming after epoch" in finish_both(start_workers(arguments))
    assert_equal_runs(alone, tmp_path / "run", tmp_path)


def test_a_signal_to_one_worker_saves_the_step_and_stops_all(alone, image_folder, tmp_path):
    arguments = flags(image_folder, tmp_path / "run", checkpoint_every="1 steps")
    workers = start_workers(arguments)
    # This is the first step of the fifth epoch, in the second phase.
    wait_for("00004-000000001.npz", tmp_path / "run" / "checkpoints")
    workers[1].send_signal(signal.SIGTERM)
    for worker in workers:
        printed, _ = worker.communicate(timeout=300)
        assert worker.returncode == 143, printed
        assert "Traceback" not in printed
    newest = max((tmp_path / "run" / "checkpoints").glob("*.npz"))
    assert f"from {newest}" in finish_both(start_workers(arguments))
    assert_equal_runs(alone, tmp_path / "run", tmp_path)


def finish_both(workers):
    return "".join(map(finish, workers))


def test_errors_of_the_chief_are_reported_by_all_workers(image_folder, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file.txt").write_text("no run")
    for worker in start_workers(flags(image_folder, tmp_path / "run")):
        printed, _ = worker.communicate(timeout=300)
        assert worker.returncode == 2
        assert "error: The folder" in printed and "holds no run" in printed


def test_data_that_differ_from_the_chief_are_refused(image_folder, tmp_path):
    chief, worker = start_workers(flags(image_folder, tmp_path / "run"), more={1: ["--data.test_fraction", "0.3"]})
    printed, _ = worker.communicate(timeout=300)
    assert worker.returncode == 2
    assert "The data of this worker are not those of the chief" in printed
    printed, _ = chief.communicate(timeout=300)
    assert chief.returncode == 3
    assert "Another worker of this training is lost" in printed
