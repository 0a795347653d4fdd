"""MLflow: a run of the experiment "tl_keras", or of MLFLOW_EXPERIMENT_NAME, where MLFLOW_TRACKING_URI points to."""

import itertools
import os
import time

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from tl_keras.tracking.trackers import Tracker

EXPERIMENT = "tl_keras"
MAX_PARAMS = 100
"""Number of parameters that one call may report."""


class Adapter(Tracker):
    """Reports to a run by its id, without the state that `mlflow.start_run` keeps for the process."""

    def __init__(self, folder, settings, known_id):
        self._client = MlflowClient()
        if known_id is not None:
            self.id = known_id
            self._client.update_run(known_id, status="RUNNING")
            return
        self.id = self._client.create_run(self._experiment(), run_name=folder.name).info.run_id
        params = (Param(name, str(value)) for name, value in settings.items())
        while batch := list(itertools.islice(params, MAX_PARAMS)):
            self._client.log_batch(self.id, params=batch)

    def log_figures(self, figures, epoch):
        """Reports metrics at an epoch."""
        now = int(1000 * time.time())
        self._client.log_batch(self.id, [Metric(_name(name), value, now, epoch) for name, value in figures.items()])

    def log_text(self, name, text):
        """Reports a text as an artifact."""
        self._client.log_text(self.id, text, f"{name}.txt")

    def log_results(self, figures, plots):
        """Reports metrics, and the plots as artifacts."""
        self.log_figures(figures, 0)
        for path in plots:
            self._client.log_artifact(self.id, str(path))

    def close(self, finished):
        """Ends the run as finished or killed."""
        self._client.set_terminated(self.id, "FINISHED" if finished else "KILLED")

    def _experiment(self):
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)


def _name(name):
    """Replaces the characters that MLflow allows in no name."""
    return "".join(letter if letter.isalnum() or letter in "_-. /" else "_" for letter in name)
