"""Opening of a run folder to train in: new, resumed or refused, locked, and left as it was after invalid input."""

import contextlib
import os
import platform
import shlex
import shutil
import tempfile
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import filelock

from tl_keras.config.config_files import read_config
from tl_keras.errors import InputError, RunStopped, is_disk_full
from tl_keras.runs.run_folder import RunFolder, folder_name, resume_command
from tl_keras.runs.unfinished import WITHOUT_EFFECT, find_unfinished
from tl_keras.system.atomic_files import remove_unfinished
from tl_keras.system.plain_yaml import load_yaml

RECORDS = ("versions.json", "data.json", "devices.json")
VERSIONED = ("tl_keras", "tensorflow", "keras", "keras-hub", "numpy", "pillow", "scikit-learn")


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
    run = RunFolder(folder or new_folder(name))
    if folder is None:
        _note_unfinished(run.path.parent, folder_name(name), config_text)
    # Methods of `Path` would raise an error for a name that is too long.
    new_folders = [path for path in (run.path, *run.path.parents) if not os.path.exists(path)]
    _check_resume(run, resume)
    before = _make_folder(run)
    run.refuse_links()
    with _lock(run), run.signals, _advice_to_resume(run):
        remove_unfinished(run.path)
        if started := (run / "config.yaml").exists():
            _check_same_config(run, config_text)
            _check_records(run)
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


def _note_unfinished(folder, stem, config_text):
    if path := find_unfinished(folder, stem, config_text):
        place = shlex.quote(str(path))
        print(f"note: an unfinished run of this configuration is in {place}: --run {place} resumes it", flush=True)


@contextlib.contextmanager
def _advice_to_resume(run):
    """Adds the command that resumes the run to the message of a signal or a full disk."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted: resume with `{resume_command(run.path)}`", flush=True)
        raise
    except Exception as error:
        if not is_disk_full(error):
            raise
        raise RunStopped(
            "The disk is full, but what was finished before is intact: free some space and resume with "
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


def make_folder(path, content="", flag="--output"):
    """Creates a folder for results, unless it is there.

    Args:
        path: path of the folder.
        content: what is written to it, such as "exports", for the message.
        flag: flag that names the folder.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        InputError: the folder cannot be created or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # An existing folder may be one of a disk that is mounted read-only, or of somebody else.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        what = f"write {content} to" if content else "write to"
        raise InputError(f"Cannot {what} {str(folder)!r} ({error.strerror}): give {flag} another folder.") from error
    return folder


def new_folder(name):
    """Returns the `Path` of a folder in runs that does not exist, NAME-TIME.

    Args:
        name: name or path that the folder is named after.
    """
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
    except OSError as error:
        raise InputError(
            f"The run folder {str(run.path)!r} cannot be locked ({error.strerror}): give --run another folder."
        ) from error


def _check_records(run):
    """Refuses damaged records before the training, not when they are read after it."""
    for name in RECORDS:
        if (run / name).exists():
            run.read_json(name)


def _check_same_config(run, config_text):
    """Refuses another configuration, except for settings that have no effect on the weights and a moved folder."""
    old = read_config(run / "config.yaml")
    if not isinstance(old, dict):
        raise InputError(f"The file {str(run / 'config.yaml')!r} is damaged: give --run another folder.")
    old, new = old | WITHOUT_EFFECT, load_yaml(config_text) | WITHOUT_EFFECT
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
