"""Folder of a comparison: finished cells are kept, so that the same command resumes it."""

import contextlib
import json
import math
from dataclasses import asdict, dataclass, fields

import filelock

from tl_keras.config.config_files import read_config
from tl_keras.errors import InputError
from tl_keras.runs.same_data import is_same_data
from tl_keras.studies.comparison.grid import Cell
from tl_keras.system.atomic_files import write_text
from tl_keras.system.json_files import read_json
from tl_keras.system.links import open_to_append, refuse_links
from tl_keras.system.plain_yaml import load_yaml

CELLS, CONFIG, DATA, LOCK, LOG = "cells", "config.yaml", "data.json", ".lock", "log.txt"
DAMAGED = "remove it, and it is measured again"
WITHOUT_EFFECT = ("run", "resume", "max_time", "checkpoint_every", "distribute")


@dataclass(frozen=True)
class Result:
    """Holds what was measured in a cell."""

    labels: int
    """Number of labelled examples that the method had."""
    correct: str
    """For each test example "1" if it was classified correctly, else "0"."""
    cpu_seconds: float
    """CPU seconds of training, with one forward pass of the training examples where the method needs it."""
    seconds: float
    """Elapsed seconds, likewise."""
    steps: int
    """Steps of the optimizer; 0 for solved heads."""
    multiply_adds: int | None
    """Multiply-adds of the networks; None where there is no network."""
    joules: float | None
    """Energy of the machine meanwhile; None without a counter."""

    @property
    def accuracy(self):
        """Share of the test examples that was classified correctly."""
        return self.correct.count("1") / len(self.correct)


class ComparisonFolder:
    """Keeps the cells of one comparison, and refuses other data or settings.

    Args:
        path: `pathlib.Path` of the folder, created if missing.
    """

    def __init__(self, path):
        self.path = path

    @contextlib.contextmanager
    def opened(self, config_text):
        """Locks the folder, and refuses another configuration than that of its cells.

        Raises:
            InputError: another process works in it, it holds something else or links, or the configuration differs.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            is_new = not (self.path / CONFIG).exists()
            if is_new and any(path.name not in (LOCK, DATA) for path in self.path.iterdir()):
                raise InputError(f"The folder {str(self.path)!r} holds something else: give --output another folder.")
        except OSError as error:
            raise self._unusable(error) from error
        refuse_links(self.path, in_place=(LOCK, LOG))
        with self._lock():
            if not is_new:
                self._require_same(config_text)
            self._config_text = config_text
            yield self

    def _lock(self):
        """Locks the folder at once, and returns the context that releases it."""
        try:
            return filelock.FileLock(self.path / LOCK).acquire(timeout=0)
        except filelock.Timeout:
            raise InputError(
                f"Another comparison is working in {str(self.path)!r}: wait for it, or give --output another folder."
            ) from None
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error):
        return InputError(
            f"The folder {str(self.path)!r} cannot be used ({error.strerror}): give --output another folder."
        )

    def require_same_data(self, fingerprint):
        """Records the fingerprint of the data and the configuration, or refuses data with another fingerprint."""
        # Not before, so that data which cannot be read leave no configuration behind that others would have to match.
        if not (self.path / CONFIG).exists():
            write_text(self.path / DATA, json.dumps(fingerprint, indent=2) + "\n")
            write_text(self.path / CONFIG, self._config_text)
        elif not is_same_data(read_json(self.path / DATA, dict, DAMAGED), fingerprint, self.path):
            raise InputError(
                f"The data changed since the comparison in {str(self.path)!r} started: restore them, or give --output "
                "another folder."
            )

    def open_log(self):
        """Opens the text file that the lines of training are appended to."""
        return open_to_append(self.path / LOG)

    def read(self, cells, num_test):
        """Reads finished cells.

        Args:
            cells: list of `Cell`.
            num_test: number of test examples.

        Returns:
            Dict from those that are finished to their `Result`.

        Raises:
            InputError: a file is damaged.
        """
        return {cell: self._read(cell, num_test) for cell in cells if self._path(cell).exists()}

    def write(self, cell, result):
        """Writes a finished cell."""
        self._path(cell).parent.mkdir(exist_ok=True)
        write_text(self._path(cell), json.dumps(asdict(result)) + "\n")

    def _path(self, cell: Cell):
        return self.path / CELLS / f"{cell}.json"

    def _read(self, cell, num_test):
        values = read_json(self._path(cell), dict, DAMAGED)
        if not _is_result(values, num_test):
            raise InputError(f"{str(self._path(cell))!r} is damaged: {DAMAGED}.")
        return Result(**values)

    def _require_same(self, config_text):
        ignored = dict.fromkeys(WITHOUT_EFFECT)
        old, new = read_config(self.path / CONFIG), load_yaml(config_text)
        if not isinstance(old, dict) or old | ignored != new | ignored:
            raise InputError(
                f"The comparison in {str(self.path)!r} has other settings: repeat its command, or give --output "
                "another folder."
            )


def _is_result(values, num_test):
    """Returns whether a dict, which a stranger may have made, holds the fields of a `Result` of the test examples."""
    kinds = {field.name: field.type for field in fields(Result)}
    if values.keys() != kinds.keys():
        return False
    correct = values["correct"]
    if not isinstance(correct, str) or len(correct) != num_test or set(correct) - {"0", "1"}:
        return False
    return all(_is_cost(values[name], kind) for name, kind in kinds.items() if name != "correct")


def _is_cost(value, kind):
    """Returns whether a value is a finite number of a kind, or None where the kind allows it."""
    if value is None:
        return isinstance(value, kind)
    # JSON may write a whole number of seconds without a point.
    return isinstance(value, kind | int) and not isinstance(value, bool) and 0 <= value < math.inf
