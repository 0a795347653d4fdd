"""The run folder: what a run was told, what it did and what it found. Knows no TensorFlow.

config.yaml      the whole configuration; `--config` reads it back
versions.json    the packages it ran on
devices.json     how many devices make a step
data.json        how many examples it has, and their hash: other data are refused
log.jsonl        a line for each epoch and each phase
checkpoints/     where an interrupted run goes on
model.keras      the result
metrics.json     its test figures
SHA256SUMS       the digests of all these, the last file to be written: a run that has it is finished
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
import yaml

from tl_keras.errors import InputError, RunStopped
from tl_keras.system.atomic_files import atomic_path
from tl_keras.system.checksums import MANIFEST, changed_files, write_manifest
from tl_keras.system.interruption import StopSignals

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
VITAL = ("config.yaml", "data.json", "history.json", "log.jsonl", "metrics.json", "model.keras", "versions.json")
"""The files of a finished run that are read again."""
VERSIONED = ("tl_keras", "tensorflow", "keras", "keras-hub", "numpy", "pillow", "scikit-learn")


class RunFolder:
    """Reads and writes one run folder; every file is written whole or not at all.

    Args:
        path: the folder, which exists.

    Attributes:
        signals: `StopSignals`, which listens while the run is open.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.signals = StopSignals()

    def __truediv__(self, name):
        """Gives the path of a file in the folder."""
        return self.path / name

    @property
    def finished(self):
        """Whether the run came to its end."""
        return (self / MANIFEST).is_file()

    def finish(self):
        """Marks the run as finished: from here on its files must not change."""
        write_manifest(self.path, exclude=("checkpoints", "evaluations"))

    def require_unchanged(self):
        """Refuses a finished run whose files are not those any more that it was finished with.

        What nothing reads, such as the report and its pictures, may have been edited: that is told on standard error.

        Raises:
            InputError: a file that is read has changed or is missing.
        """
        changed = changed_files(self.path, VITAL)
        if vital := [name for name in changed if name in VITAL]:
            raise InputError(
                f"The run in {str(self.path)!r} is not what it was when it was finished: changed or missing is "
                f"{', '.join(vital)}; copy it again, or remove {MANIFEST} and train again."
            )
        if changed:
            print(f"note: changed since the run was finished: {', '.join(changed)}", file=sys.stderr)

    def write_text(self, name, text):
        """Writes a UTF-8 text file, replacing an old one in one step."""
        with atomic_path(self / name) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def write_json(self, name, value):
        """Writes a value as indented JSON."""
        self.write_text(name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def read_json(self, name):
        """Reads a JSON file."""
        return json.loads((self / name).read_text(encoding="utf-8"))

    def require_same_data(self, fingerprint):
        """Records what the data of the run are, or refuses data that are not those any more.

        Args:
            fingerprint: dict of numbers and texts.

        Raises:
            InputError: the run was begun with other data.
        """
        if not (self / "data.json").exists():
            self.write_json("data.json", fingerprint)
        elif (before := self.read_json("data.json")) != fingerprint:
            raise InputError(
                f"The data changed since the run in {str(self.path)!r} began ({_counts(before)} then, "
                f"{_counts(fingerprint)} now): restore them, or give --run another folder, since a new split would mix "
                "test and training data."
            )

    def log(self, event, values):
        """Appends a line to log.jsonl: the event, the time and a dict of values."""
        line = {"event": event, "time": datetime.now().isoformat(timespec="seconds"), **values}
        with open(self / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def read_log(self, event):
        """Reads the values of every line of one event, a list of dicts, the oldest first; torn lines are left out."""
        lines = []
        for text in (self / "log.jsonl").read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                lines.append(json.loads(text))
        return [line for line in lines if line["event"] == event]


@contextlib.contextmanager
def open_run(folder, name, config_text, resume="auto"):
    """Creates a run folder, or opens an old one whose run goes on, and keeps others out of it.

    Args:
        folder: path of the run folder; None makes a new runs/NAME-TIME.
        name: what a new folder is named after, such as the data set's path.
        config_text: the whole configuration as YAML.
        resume: "auto" goes on with a run in the folder, or starts one; "must" only goes on, "never" only starts.

    Yields:
        `RunFolder`, locked until the context ends. Where bad input ends it before any training, only what was there
        before is left.

    Raises:
        InputError: another process works in the folder, it was made with another configuration, it is no run folder,
            or `resume` does not allow what would happen.
        RunStopped: the disk became full.
    """
    run = RunFolder(folder or _new_folder(name))
    # Not by methods of `Path`, which raise where a name is longer than the system takes.
    made = [path for path in (run.path, *run.path.parents) if not os.path.exists(path)]
    _check_resume(run, resume)
    before = _make_folder(run)
    with _locked(run), run.signals, _told_how_to_go_on(run):
        if begun := (run / "config.yaml").exists():
            _check_same_config(run, config_text)
        # A configuration that the user put there has no versions beside it.
        if not (begun and (run / "versions.json").exists()):
            run.write_json("versions.json", _versions())
        if not begun:
            run.write_text("config.yaml", config_text)
        try:
            yield run
        except InputError:
            if not any((run / name).exists() for name in ("log.jsonl", "checkpoints")):
                _remove_all_but(before, run.path)
                _remove_empty(made)
            raise


@contextlib.contextmanager
def _told_how_to_go_on(run):
    """Tells how to go on after what no flag caused: a signal, a full disk."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted: go on with `{resume_command(run.path)}`", flush=True)
        raise
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise RunStopped(
            f"The disk is full ({error.strerror}), and what was saved before is whole: free some space and go on with "
            f"`{resume_command(run.path)}`."
        ) from error


@contextlib.contextmanager
def scratch_run():
    """Yields a `RunFolder` that vanishes, for a process that must write nothing."""
    with tempfile.TemporaryDirectory(prefix="tl_keras-") as folder:
        run = RunFolder(folder)
        run.write_json("versions.json", _versions())
        # TensorFlow notes the SIGTERM of a worker, and nothing comes of it.
        with run.signals:
            yield run


def _check_resume(run, resume):
    begun = os.path.isfile(run / "config.yaml")
    if resume == "must" and not begun:
        raise InputError(f"There is no run to go on with in {str(run.path)!r}: check --run, or give --resume auto.")
    if resume == "never" and begun:
        raise InputError(f"There is a run in {str(run.path)!r} already: give --run a new folder, or --resume auto.")


def _remove_all_but(kept, folder):
    for path in set(folder.iterdir()) - kept:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _remove_empty(folders):
    with contextlib.suppress(OSError):
        # Where another run has moved in, this one and those above it stay.
        for folder in folders:
            folder.rmdir()


def resume_command(folder):
    """Gives the command that goes on with the run in a folder, ready for a shell."""
    config = Path(folder) / "config.yaml"
    return f"python -m tl_keras.train --config {shlex.quote(str(config))} --run {shlex.quote(str(folder))}"


def _counts(fingerprint):
    return ", ".join(
        f"of the {name} {_counts(count)}" if isinstance(count, dict) else f"{count} {name}"
        for name, count in fingerprint.items()
        if name != "sha256"
    )


def folder_name(name):
    """Makes a plain folder name of the path or the name of data: letters, digits and dashes."""
    return re.sub(r"\W+", "-", Path(name).stem).strip("-").lower() or "run"


def _new_folder(name):
    stem = folder_name(name)
    path = Path("runs") / f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    while path.exists():
        path = path.with_name(f"{path.name}-2")
    return path


def _make_folder(run):
    """Makes the folder where it is not there, and returns the set of the paths in it."""
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        before = set(run.path.iterdir())
        # A run that was killed while it began has its lock, but not yet its configuration.
        if before and not any((run / name).exists() for name in (".lock", "config.yaml")):
            raise InputError(
                f"The folder {str(run.path)!r} is not empty and holds no run: give --run a new or an empty one."
            )
    except OSError as error:
        raise InputError(
            f"The run folder {str(run.path)!r} cannot be used: {error.strerror}; give --run another."
        ) from error
    return before


@contextlib.contextmanager
def _locked(run):
    lock = filelock.FileLock(run / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise InputError(
            f"Another run is working in {str(run.path)!r}: wait for it or give --run another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _check_same_config(run, config_text):
    """The place of the run may differ, the folder may have been moved, and what changes no weight; nothing else may."""
    # A configuration of before there were several devices is one that leaves them at what they are by default.
    free = {"run": None, "resume": None, "checkpoint_every": None, "distribute": None}
    old = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8")) | free
    new = yaml.safe_load(config_text) | free
    if different := sorted(_differing_keys(old, new)):
        raise InputError(
            f"The run in {str(run.path)!r} was started with another configuration (different: {', '.join(different)}): "
            "give --run another folder, or repeat the first command to go on."
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
