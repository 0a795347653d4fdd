"""Names and packages of the trackers, and their common interface. Loads neither a tracker nor TensorFlow."""

import importlib
import importlib.util
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tl_keras.errors import InputError, unknown_name


@dataclass(frozen=True)
class Package:
    """Describes where a tracker comes from."""

    name: str
    """Name on the package index and of the module."""
    adapter: str
    """Module with its `Adapter`."""


TRACKERS = {
    "tensorboard": Package("tensorboard", "tl_keras.tracking.tensorboard_files"),
    "mlflow": Package("mlflow", "tl_keras.tracking.mlflow_run"),
    "wandb": Package("wandb", "tl_keras.tracking.wandb_run"),
}


class Tracker(ABC):
    """Reports one run to a tracker; each module of a tracker has an `Adapter` of this class.

    Args:
        folder: `pathlib.Path` of the run folder.
        settings: dict from the name of a setting to its value, as the configuration is written.
        known_id: what `id` was when the run was interrupted; None for a new run.

    Attributes:
        id: str by which the tracker knows the run, or None if it needs none.
    """

    id = None

    @abstractmethod
    def log_figures(self, figures, epoch):
        """Reports figures of an epoch.

        Args:
            figures: dict from name to float.
            epoch: epochs that are done, from 1.
        """

    @abstractmethod
    def log_text(self, name, text):
        """Reports a text, such as a warning."""

    @abstractmethod
    def log_results(self, figures, plots):
        """Reports the results.

        Args:
            figures: dict from name to float.
            plots: list of the `pathlib.Path` of PNG files.
        """

    @abstractmethod
    def close(self, finished):
        """Ends the report; the run is finished, or was interrupted and may be resumed."""


def check_trackers(names):
    """Refuses trackers that are unknown or not installed.

    Args:
        names: list of str.

    Raises:
        InputError: names the package to install.
    """
    for name in names:
        if name not in TRACKERS:
            raise unknown_name("tracker of --log", name, TRACKERS)
        if importlib.util.find_spec(TRACKERS[name].name) is None:
            raise InputError(f"--log {name} needs a package that is missing: pip install {TRACKERS[name].name}")


def open_tracker(name, folder, settings, known_id):
    """Loads a tracker and opens its report of a run, see `Tracker`."""
    return importlib.import_module(TRACKERS[name].adapter).Adapter(folder, settings, known_id)
