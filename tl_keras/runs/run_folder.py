"""Run folder: the configuration, the log and the results of a run. Loads no TensorFlow.

config.yaml      the whole configuration, for `--config`
versions.json    the versions of the packages
devices.json     the number of devices in a step
data.json        the number of examples, their digest and its version, to refuse other data
log.jsonl        one line per epoch and per phase
checkpoints/     the state that an interrupted run resumes from
model.keras      the trained model
metrics.json     its metrics on the test examples
tracking.json    the ids of the run in experiment trackers, and tensorboard/ its event files
seen_examples.txt  digests of the training and validation examples, to recognise them in other data
SHA256SUMS       the digests of all files; written last, so that it marks a finished run
"""

import contextlib
import json
import re
import shlex
import sys
from datetime import datetime
from pathlib import Path

from tl_keras.data.wording import first_of, printable
from tl_keras.errors import MAX_QUOTED, InputError
from tl_keras.runs.same_data import DIGESTS, is_same_data
from tl_keras.system.atomic_files import write_text
from tl_keras.system.checksums import MANIFEST, changed_files, write_manifest
from tl_keras.system.interruption import StopSignals
from tl_keras.system.json_files import parse_json, read_json
from tl_keras.system.links import open_to_append, refuse_links
from tl_keras.system.stored.files import is_sparse

ESSENTIAL = (
    "config.yaml",
    "data.json",
    "history.json",
    "log.jsonl",
    "metrics.json",
    "model.keras",
    "seen_examples.txt",
    "versions.json",
)
"""Files of a finished run that are read again."""
IN_PLACE = (".lock", "log.jsonl")
"""Files that are not replaced but extended or emptied."""
DAMAGED = "copy the run again, or train again in another folder"


class RunFolder:
    """Reads and writes one run folder; every file is written completely or not at all.

    Args:
        path: path of an existing folder.

    Attributes:
        signals: `StopSignals`, active while the run is open.
        listeners: functions of an event and its values that see each line of the log.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.signals = StopSignals()
        self.listeners = []

    def __truediv__(self, name):
        """Returns the path of a file in the folder."""
        return self.path / name

    @property
    def finished(self):
        """State of the run: True once it is finished."""
        return (self / MANIFEST).is_file()

    def finish(self):
        """Marks the run as finished; its files must not change afterwards."""
        write_manifest(self.path, exclude=("checkpoints", "evaluations", "tensorboard"))

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
        """Reads a JSON file that holds a dict."""
        return read_json(self / name, dict, DAMAGED)

    def require_same_data(self, fingerprint):
        """Records the fingerprint of the data, or refuses data with another one.

        Args:
            fingerprint: dict of numbers and texts.

        Raises:
            InputError: the run was started with other data.
        """
        if not (self / "data.json").exists():
            self.write_json("data.json", fingerprint)
            return
        before = self.read_json("data.json")
        if not is_same_data(before, fingerprint, self.path):
            raise InputError(
                f"The data changed since the run in {str(self.path)!r} started ({_counts(before)[:MAX_QUOTED]} then, "
                f"{_counts(fingerprint)} now), and a new split would mix test and training data: restore the data, or "
                "give --run another folder."
            )
        if before != fingerprint and not self.finished:
            # So that a resumed run which an older version started is compared from now on.
            self.write_json("data.json", fingerprint)

    def log(self, event, values):
        """Appends a line to log.jsonl with the event, the time and a dict of values."""
        line = {"event": event, "time": datetime.now().isoformat(timespec="seconds"), **values}
        with open_to_append(self / "log.jsonl") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        for listener in self.listeners:
            listener(event, values)

    def read_log(self, event, kinds=None):
        """Reads the lines of one event; damaged ones are skipped, since a log must not stop a run.

        Args:
            event: str.
            kinds: dict from the keys that a line needs to the types of their values.

        Returns:
            List of dicts, oldest first; empty without a log.
        """
        path, lines = self / "log.jsonl", []
        is_readable = path.is_file() and not is_sparse(path)
        texts = path.read_text(encoding="utf-8", errors="replace").splitlines() if is_readable else []
        for text in texts:
            with contextlib.suppress(ValueError, RecursionError):
                lines.append(parse_json(text))
        lines = [line for line in lines if isinstance(line, dict) and line.get("event") == event]
        return [line for line in lines if all(isinstance(line.get(key), kind) for key, kind in (kinds or {}).items())]


def resume_command(folder):
    """Formats the shell command that resumes the run in a folder."""
    config = Path(folder) / "config.yaml"
    return f"python -m tl_keras.train --config {shlex.quote(str(config))} --run {shlex.quote(str(folder))}"


def folder_name(name):
    """Converts a path or a name of data to a folder name of letters, digits and dashes."""
    return re.sub(r"\W+", "-", Path(name).stem).strip("-").lower() or "run"


def _counts(fingerprint):
    return ", ".join(
        f"of the {name} {_counts(count)}" if isinstance(count, dict) else f"{count} {name}"
        for name, count in fingerprint.items()
        if name not in DIGESTS
    )
