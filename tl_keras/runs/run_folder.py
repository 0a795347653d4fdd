"""Run folder: the configuration, the log and the results of a run. Loads no TensorFlow.

config.yaml      the whole configuration, for `--config`
versions.json    the versions of the packages
devices.json     the number of devices in a step
data.json        the number of examples and their hash, to refuse other data
log.jsonl        one line per epoch and per phase
checkpoints/     the state that an interrupted run resumes from
model.keras      the trained model
metrics.json     its metrics on the test examples
SHA256SUMS       the digests of all files; written last, so that it marks a finished run
"""

import contextlib
import errno
import json
import os
import platform
import re
import shlex
import shutil
import sys
import tempfile
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import filelock

from tl_keras.config.config_files import read_config
from tl_keras.data.wording import first_of, printable
from tl_keras.errors import MAX_QUOTED, InputError, RunStopped
from tl_keras.system.atomic_files import remove_unfinished, write_text
from tl_keras.system.checksums import MANIFEST, changed_files, write_manifest
from tl_keras.system.interruption import StopSignals
from tl_keras.system.links import open_to_append, refuse_links
from tl_keras.system.plain_yaml import load_yaml

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
ESSENTIAL = ("config.yaml", "data.json", "history.json", "log.jsonl", "metrics.json", "model.keras", "versions.json")
"""Files of a finished run that are read again."""
IN_PLACE = (".lock", "log.jsonl")
"""Files that are not replaced but extended or emptied."""
VERSIONED = ("tl_keras", "tensorflow", "keras", "keras-hub", "numpy", "pillow", "scikit-learn")


class RunFolder:
    """Reads and writes one run folder; every file is written completely or not at all.

    Args:
        path: path of an existing folder.

    Attributes:
        signals: `StopSignals`, active while the run is open.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.signals = StopSignals()

    def __truediv__(self, name):
        """Returns the path of a file in the folder."""
        return self.path / name

    @property
    def finished(self):
        """State of the run: True once it is finished."""
        return (self / MANIFEST).is_file()

    def finish(self):
        """Marks the run as finished; its files must not change afterwards."""
        write_manifest(self.path, exclude=("checkpoints", "evaluations"))

    def require_unchanged(self):
        """Refuses a finished run whose essential files have changed.

        Other files, such as the report and its plots, may have been edited; a note on standard error lists them.

        Raises:
            InputError: a file that is read again has changed or is missing.
        """
        changed = changed_files(self.path, ESSENTIAL)
        if essential := [name for name in changed if name in ESSENTIAL]:
            raise InputError(
                f"Files of the run in {str(self.path)!r} have changed or are missing since it was finished: "
                f"{', '.join(essential)}; copy the run again, or remove {MANIFEST} and train again."
            )
        if changed:
            names = first_of(printable(name)[:MAX_QUOTED] for name in changed)
            print(f"note: changed since the run was finished: {names}", file=sys.stderr)

    def refuse_links(self):
        """Refuses a folder with links, through which results would be written to other places.

        Raises:
            InputError: names the first link.
        """
        refuse_links(self.path, in_place=IN_PLACE)

    def write_text(self, name, text):
        """Writes a UTF-8 text file and replaces an existing one in a single step."""
        write_text(self / name, text)

    def write_json(self, name, value):
        """Writes a value as indented JSON."""
        self.write_text(name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def read_json(self, name):
        """Reads a JSON file."""
        return json.loads((self / name).read_text(encoding="utf-8"))

    def require_same_data(self, fingerprint):
        """Records the fingerprint of the data, or refuses data with another one.

        Args:
            fingerprint: dict of numbers and texts.

        Raises:
            InputError: the run was started with other data.
        """
        if not (self / "data.json").exists():
            self.write_json("data.json", fingerprint)
        elif (before := self.read_json("data.json")) != fingerprint:
            raise InputError(
                f"The data changed since the run in {str(self.path)!r} started ({_counts(before)[:MAX_QUOTED]} then, "
                f"{_counts(fingerprint)} now), and a new split would mix test and training data: restore the data, or "
                "give --run another folder."
            )

    def log(self, event, values):
        """Appends a line to log.jsonl with the event, the time and a dict of values."""
        line = {"event": event, "time": datetime.now().isoformat(timespec="seconds"), **values}
        with open_to_append(self / "log.jsonl") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def read_log(self, event):
        """Reads the lines of one event as a list of dicts, oldest first; incomplete lines are skipped."""
        lines = []
        for text in (self / "log.jsonl").read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                lines.append(json.loads(text))
        return [line for line in lines if line["event"] == event]


@contextlib.contextmanager
def open_run(folder, name, config_text, resume="auto"):
    """Creates a run folder, or opens one whose run is resumed, and locks it.

    Args:
        folder: path of the run folder; None creates a new one, runs/NAME-TIME.
        name: name or path that a new folder is named after, such as that of the data.
        config_text: the whole configuration as YAML.
        resume: "auto" resumes the run in the folder or starts one, "must" only resumes, "never" only starts.

    Yields:
        `RunFolder`, locked until the context ends. If invalid input ends the context before any training, the files
        that it created are removed.

    Raises:
        InputError: another process uses the folder, its run has another configuration, it is not a run folder, it
            contains links, or `resume` does not allow to start or to resume.
        RunStopped: the disk is full.
    """
    run = RunFolder(folder or _new_folder(name))
    # Methods of `Path` would raise an error for a name that is too long.
    new_folders = [path for path in (run.path, *run.path.parents) if not os.path.exists(path)]
    _check_resume(run, resume)
    before = _make_folder(run)
    run.refuse_links()
    with _lock(run), run.signals, _advice_to_resume(run):
        remove_unfinished(run.path)
        if started := (run / "config.yaml").exists():
            _check_same_config(run, config_text)
        # A configuration that the user put there has no versions.json beside it.
        if not (started and (run / "versions.json").exists()):
            run.write_json("versions.json", _versions())
        if not started:
            run.write_text("config.yaml", config_text)
        try:
            yield run
        except InputError:
            if not any((run / name).exists() for name in ("log.jsonl", "checkpoints")):
                _remove_all_but(before, run.path)
                _remove_empty(new_folders)
            raise


@contextlib.contextmanager
def _advice_to_resume(run):
    """Adds the command that resumes the run to the message of a signal or a full disk."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted: resume with `{resume_command(run.path)}`", flush=True)
        raise
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise RunStopped(
            f"The disk is full ({error.strerror}), but earlier checkpoints are intact: free some space and resume with "
            f"`{resume_command(run.path)}`."
        ) from error


@contextlib.contextmanager
def scratch_run():
    """Yields a temporary `RunFolder`, for a process that must not write anything else."""
    with tempfile.TemporaryDirectory(prefix="tl_keras-") as folder:
        run = RunFolder(folder)
        run.write_json("versions.json", _versions())
        # TensorFlow handles the SIGTERM of a worker itself and ignores it.
        with run.signals:
            yield run


def _check_resume(run, resume):
    started = os.path.isfile(run / "config.yaml")
    if resume == "must" and not started:
        raise InputError(f"There is no run to resume in {str(run.path)!r}: check --run, or give --resume auto.")
    if resume == "never" and started:
        raise InputError(f"There is already a run in {str(run.path)!r}: give --run a new folder, or --resume auto.")


def _remove_all_but(paths, folder):
    for path in set(folder.iterdir()) - paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _remove_empty(folders):
    with contextlib.suppress(OSError):
        # A folder that another run uses is not empty; it and its parents stay.
        for folder in folders:
            folder.rmdir()


def resume_command(folder):
    """Formats the shell command that resumes the run in a folder."""
    config = Path(folder) / "config.yaml"
    return f"python -m tl_keras.train --config {shlex.quote(str(config))} --run {shlex.quote(str(folder))}"


def _counts(fingerprint):
    return ", ".join(
        f"of the {name} {_counts(count)}" if isinstance(count, dict) else f"{count} {name}"
        for name, count in fingerprint.items()
        if name != "sha256"
    )


def folder_name(name):
    """Converts a path or a name of data to a folder name of letters, digits and dashes."""
    return re.sub(r"\W+", "-", Path(name).stem).strip("-").lower() or "run"


def _new_folder(name):
    stem = folder_name(name)
    path = Path("runs") / f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    while path.exists():
        path = path.with_name(f"{path.name}-2")
    return path


def _make_folder(run):
    """Creates the folder if it does not exist, and returns the set of the paths in it."""
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        before = set(run.path.iterdir())
        # A run that was killed while it started has a lock, but no configuration yet.
        if before and not any((run / name).exists() for name in (".lock", "config.yaml")):
            raise InputError(
                f"The folder {str(run.path)!r} is not empty and holds no run: give --run a new or an empty folder."
            )
    except OSError as error:
        raise InputError(
            f"The run folder {str(run.path)!r} cannot be used ({error.strerror}): give --run another folder."
        ) from error
    return before


def _lock(run):
    """Locks the folder at once, and returns the context that releases it."""
    try:
        return filelock.FileLock(run / ".lock").acquire(timeout=0)
    except filelock.Timeout:
        raise InputError(
            f"Another run is working in {str(run.path)!r}: wait for it or give --run another folder."
        ) from None


def _check_same_config(run, config_text):
    """Refuses another configuration, except for settings that have no effect on the weights and a moved folder."""
    # Configurations written before these settings existed are equal to those with the default.
    ignored = {"run": None, "resume": None, "checkpoint_every": None, "distribute": None}
    old = read_config(run / "config.yaml")
    if not isinstance(old, dict):
        raise InputError(f"The file {str(run / 'config.yaml')!r} is damaged: give --run another folder.")
    old, new = old | ignored, load_yaml(config_text) | ignored
    if different := sorted(_differing_keys(old, new)):
        raise InputError(
            f"The run in {str(run.path)!r} was started with another configuration (different: {', '.join(different)}): "
            "give --run another folder, or repeat the first command to resume it."
        )


def _differing_keys(old, new, prefix=""):
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differing_keys(before, after, f"{prefix}{key}.")
        elif before != after:
            yield f"{prefix}{key}"


def _versions():
    versions = {"python": platform.python_version(), "platform": platform.platform(), "cpu_count": os.cpu_count()}
    for package in VERSIONED:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
