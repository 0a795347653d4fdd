"""Reports what a run writes to its log and its folder to trackers, none of which can stop the training."""

import contextlib

from tl_keras.errors import first_line
from tl_keras.system.json_files import read_json
from tl_keras.tracking.event_figures import epoch_figures, phase_figures, result_figures
from tl_keras.tracking.trackers import open_tracker

RECORD = "tracking.json"
"""Ids of the run in its trackers."""
TEXTS = ("auto", "cache", "rollback", "warning")
"""Events that are reported as texts."""


@contextlib.contextmanager
def follow(names, run, settings):
    """Reports a run to trackers until the context ends.

    Args:
        names: list of keys of `TRACKERS`.
        run: `RunFolder`, whose log is followed.
        settings: dict from the name of a setting to its value.
    """
    known = _read_ids(run)
    guards = [guard for guard in (_open(name, run, settings, known.get(name)) for name in names) if guard]
    ids = known | {guard.name: guard.tracker.id for guard in guards if guard.tracker.id}
    if ids != known:
        run.write_json(RECORD, ids)
    reporter = Reporter(guards)
    run.listeners.append(reporter.receive)
    try:
        yield
    except BaseException:
        reporter.close(finished=False)
        raise
    finally:
        run.listeners.remove(reporter.receive)
    reporter.report_results(run)
    reporter.close(finished=True)


class Guard:
    """Calls a tracker until it fails; then one line warns, and it is called no more.

    Args:
        name: key of `TRACKERS`.
        tracker: `Tracker`.
    """

    def __init__(self, name, tracker):
        self.name, self.tracker = name, tracker

    def call(self, method, *arguments):
        """Calls a method of the tracker.

        Args:
            method: its name.
            arguments: its arguments.
        """
        if self.tracker is None:
            return
        try:
            getattr(self.tracker, method)(*arguments)
        except Exception as error:  # A tracker is code of others that reaches for networks and servers.
            _warn(self.name, error)
            self.tracker = None


class Reporter:
    """Translates the events of a log for trackers.

    Args:
        guards: list of `Guard`.
    """

    def __init__(self, guards):
        self.guards, self.epoch = guards, 0

    def receive(self, event, values):
        """Reports an event of the log.

        Args:
            event: str.
            values: dict.
        """
        if event == "epoch":
            self.epoch = values["epoch"]
            self._call("log_figures", epoch_figures(values), self.epoch)
        elif event == "phase":
            # At both ends, so that a plot shows steps.
            for epoch in (values["first_epoch"] + 1, values["first_epoch"] + values["epochs"]):
                self._call("log_figures", phase_figures(values), epoch)
        elif event == "phase_validation":
            self._call("log_figures", epoch_figures(values, prefix="validation/"), self.epoch)
        elif event in TEXTS:
            lines = values.get("lines") or [str(value) for value in values.values()]
            self._call("log_text", event, "\n".join(lines))

    def report_results(self, run):
        """Reports the metrics and the plots of a finished run; those workers that write none have no tracker."""
        if not self.guards:
            return
        self._call("log_results", result_figures(run.read_json("metrics.json")), sorted(run.path.glob("*.png")))

    def close(self, finished):
        """Closes all trackers."""
        self._call("close", finished)

    def _call(self, method, *arguments):
        for guard in self.guards:
            guard.call(method, *arguments)


def _open(name, run, settings, known_id):
    try:
        return Guard(name, open_tracker(name, run.path, settings, known_id))
    except Exception as error:  # As in `Guard.call`.
        _warn(name, error)
        return None


def _warn(name, error):
    print(f"warning: {name} failed, so that it gets nothing more of this run: {first_line(error)}", flush=True)


def _read_ids(run):
    if not (run / RECORD).exists():
        return {}
    ids = read_json(run / RECORD, dict, "remove it, and the trackers start new runs")
    return {name: value for name, value in ids.items() if isinstance(value, str)}
