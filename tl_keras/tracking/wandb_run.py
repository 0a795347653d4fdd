"""Weights & Biases: a run of the project "tl_keras", or of WANDB_PROJECT; offline where no key is known."""

import netrc
import os
import urllib.parse
import uuid

import wandb

from tl_keras.tracking.trackers import Tracker

PROJECT, HOST = "tl_keras", "api.wandb.ai"


class Adapter(Tracker):
    """Reports to a run by its id, which a resumed run continues."""

    def __init__(self, folder, settings, known_id):
        self.id = known_id or uuid.uuid4().hex
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            name=folder.name,
            id=self.id,
            resume="allow",
            mode=os.environ.get("WANDB_MODE") or ("online" if has_key() else "offline"),
            config=settings,
            reinit="create_new",
            settings=wandb.Settings(console="off", silent=True),
        )
        # The order of epochs, because the tracker's own steps cannot go back to a checkpoint.
        self._run.define_metric("epoch")
        self._run.define_metric("*", step_metric="epoch")

    def log_figures(self, figures, epoch):
        """Reports figures at an epoch."""
        self._run.log(figures | {"epoch": epoch})

    def log_text(self, name, text):
        """Reports a text in the summary."""
        self._run.summary[name] = text

    def log_results(self, figures, plots):
        """Reports figures in the summary, and plots."""
        self._run.summary.update(figures)
        self._run.log({path.stem: wandb.Image(str(path)) for path in plots})

    def close(self, finished):
        """Ends the run, and waits for its upload."""
        self._run.finish(exit_code=0 if finished else 1)


def has_key():
    """Returns whether a key of Weights & Biases is known, in WANDB_API_KEY or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urllib.parse.urlparse(os.environ.get("WANDB_BASE_URL", "")).hostname or HOST
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
