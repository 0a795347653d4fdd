import json

import pytest

from tests.tracking.tracked import SETTINGS, make_run, track
from tl_keras.runs.run_folder import RunFolder
from tl_keras.tracking import following


class FakeTracker:
    """Records what it gets; fails in the method that is named so."""

    def __init__(self, failing, calls, known_id):
        self.failing, self.calls, self.id = failing, calls, known_id or "id-1"

    def __getattr__(self, method):
        def call(*arguments):
            self.calls.append((method, *arguments))
            if method == self.failing:
                raise ConnectionError("no route\nto host")

        return call


@pytest.fixture
def calls(monkeypatch):
    """List of all calls; a tracker named after a method fails in it."""
    calls = []

    def open_tracker(name, folder, settings, known_id):
        calls.append(("open", folder.name, settings, known_id))
        if name == "open":
            raise ConnectionError("no route")
        return FakeTracker(name, calls, known_id)

    monkeypatch.setattr(following, "open_tracker", open_tracker)
    return calls


def test_epochs_phases_texts_and_results_are_reported(calls, tmp_path):
    track(["good"], make_run(tmp_path / "run"))
    assert calls[0] == ("open", "run", SETTINGS, None)
    epoch = {"seconds": 0.5, "learning_rate": 0.01}
    assert calls[1:3] == [("log_figures", epoch | {"loss": 1.0}, 1), ("log_figures", epoch | {"loss": 0.5}, 2)]
    assert [(call[0], call[2]) for call in calls[3:5]] == [("log_figures", 1), ("log_figures", 2)]
    assert calls[5] == ("log_text", "warning", "The loss rose.")
    method, figures, plots = calls[6]
    assert (
        method == "log_results"
        and figures["test/accuracy"] == 0.75
        and [path.name for path in plots] == ["history.png"]
    )
    assert calls[7:] == [("close", True)]


@pytest.mark.parametrize("name", ["open", "log_figures", "log_text", "log_results", "close"])
def test_a_tracker_that_fails_warns_once_and_is_left_alone(calls, tmp_path, capsys, name):
    track([name, "good"], make_run(tmp_path))
    assert capsys.readouterr().out.splitlines() == [
        f"warning: {name} failed, so that it gets nothing more of this run: no route"
    ]
    assert [call for call in calls if call == ("close", True)][-1:] == [("close", True)]


def test_a_resumed_run_continues_the_same_tracked_run(calls, tmp_path):
    run = make_run(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        track(["good"], run, epochs=[1], stop=KeyboardInterrupt())
    assert calls[-1] == ("close", False) and run.listeners == []
    track(["good"], run, epochs=[2])
    assert [call[3] for call in calls if call[0] == "open"] == [None, "id-1"]
    assert json.loads((tmp_path / "tracking.json").read_text()) == {"good": "id-1"}


def test_a_worker_without_results_and_trackers_reports_nothing(tmp_path):
    with following.follow([], RunFolder(tmp_path), SETTINGS):
        pass
    assert not list(tmp_path.iterdir())
