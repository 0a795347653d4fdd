"""Folder of a comparison: finished cells are kept, so that the same command resumes it."""

import contextlib
import json
from dataclasses import asdict

import filelock

from tl_keras.config.config_files import read_config
from tl_keras.errors import InputError
from tl_keras.runs.same_data import is_same_data
from tl_keras.studies.comparison.grid import Cell
from tl_keras.system.atomic_files import UNFINISHED, create_folder, write_text
from tl_keras.system.json_files import read_json
from tl_keras.system.links import open_to_append, refuse_links
from tl_keras.system.plain_yaml import load_yaml

CELLS, CONFIG, DATA, LOCK, LOG = "cells", "config.yaml", "data.json", ".lock", "log.txt"
SUSPICIOUS = "suspicious_labels.json"
MAX_SUSPICIOUS_CHARACTERS = 1_000_000
DAMAGED = "remove it, and it is measured again"
WITHOUT_EFFECT = ("run", "resume", "max_time", "checkpoint_every", "distribute")


class ComparisonFolder:
    """Keeps the cells of one comparison, and refuses other data or settings.

    Args:
        path: `pathlib.Path` of the folder, created if missing.
        result_type: class of the results in its cells.
    """

    def __init__(self, path, result_type):
        self.path, self._result_type = path, result_type

    @contextlib.contextmanager
    def opened(self, config_text):
        """Locks the folder, and refuses another configuration than that of its cells.

        Raises:
            InputError: another process works in it, it holds something else or links, or the configuration differs.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            is_new = not (self.path / CONFIG).exists()
            if is_new and any(
                path.name not in (LOCK, DATA) and not path.name.startswith(UNFINISHED) for path in self.path.iterdir()
            ):
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
            Dict from those that are finished to their results.

        Raises:
            InputError: a file is damaged.
        """
        return {cell: self._read(cell, num_test) for cell in cells if self._path(cell).exists()}

    def write(self, cell, result):
        """Writes a finished cell."""
        create_folder(self._path(cell).parent)
        write_text(self._path(cell), json.dumps(asdict(result)) + "\n")

    def write_suspicious(self, sentences):
        """Writes sentences on labels that are probably wrong."""
        write_text(self.path / SUSPICIOUS, json.dumps(sentences, ensure_ascii=False) + "\n")

    def read_suspicious(self):
        """Reads the sentences that `write_suspicious` wrote, a list of str, perhaps empty.

        Raises:
            InputError: the file is damaged.
        """
        path = self.path / SUSPICIOUS
        sentences = read_json(path, list, "remove it") if path.exists() else []
        are_sentences = all(isinstance(sentence, str) for sentence in sentences)
        if not are_sentences or sum(map(len, sentences)) > MAX_SUSPICIOUS_CHARACTERS:
            raise InputError(f"{str(path)!r} is damaged: remove it.")
        return sentences

    def _path(self, cell: Cell):
        return self.path / CELLS / f"{cell}.json"

    def _read(self, cell, num_test):
        values = read_json(self._path(cell), dict, DAMAGED)
        if not self._result_type.is_valid(values, num_test):
            raise InputError(f"{str(self._path(cell))!r} is damaged: {DAMAGED}.")
        return self._result_type(**values)

    def _require_same(self, config_text):
        ignored = dict.fromkeys(WITHOUT_EFFECT)
        old, new = read_config(self.path / CONFIG), load_yaml(config_text)
        if not isinstance(old, dict) or old | ignored != new | ignored:
            raise InputError(
                f"The comparison in {str(self.path)!r} has other settings: repeat its command, or give --output "
                "another folder."
            )
