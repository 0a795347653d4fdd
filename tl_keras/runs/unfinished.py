"""Finds an unfinished run that a command could resume, but which its new folder would leave behind."""

import contextlib
import re

import filelock

from tl_keras.config.config_files import read_config
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system.plain_yaml import load_yaml

WITHOUT_EFFECT = {
    **{"run": None, "resume": None, "checkpoint_every": None, "distribute": None, "log": None},
    "max_time": None,
}
"""Settings that a resumed run may change; configurations written before them are equal to those with the default.

All but the time limit have no effect on the weights, and its effect depends on the machine in any case."""


def find_unfinished(folder, stem, config_text):
    """Finds the newest unfinished run of a configuration among those in folders that were named by default.

    Args:
        folder: `pathlib.Path` of the folder that holds the run folders.
        stem: start of their names, before the time.
        config_text: the whole configuration as YAML.

    Returns:
        `pathlib.Path` of the run folder; None without one, or if another process works in it.
    """
    named = re.compile(rf"{re.escape(stem)}-\d{{8}}-\d{{6}}(-2)*")
    config = load_yaml(config_text) | WITHOUT_EFFECT
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir(), reverse=True):
            if named.fullmatch(path.name) and _can_be_resumed(RunFolder(path), config):
                return path
    return None


def _can_be_resumed(run, config):
    # A damaged run, or one of a stranger with links, is no reason to refuse a new run.
    with contextlib.suppress(InputError, OSError, filelock.Timeout):
        run.refuse_links()
        old = None if run.finished else read_config(run / "config.yaml")
        if isinstance(old, dict) and old | WITHOUT_EFFECT == config:
            with filelock.FileLock(run / ".lock").acquire(timeout=0):
                return True
    return False
