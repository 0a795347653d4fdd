"""Comparison of the data of a run with those that it started with, as far as their digests can be compared."""

from pathlib import Path

from tl_keras.errors import InputError

DIGESTS = ("sha256", "digest_version")
"""Keys of a fingerprint that are no counts."""


def is_same_data(before, now, folder):
    """Compares fingerprints of data, and prints a note if only their counts can be compared.

    Args:
        before: recorded fingerprint, see `Task.fingerprint`.
        now: the fingerprint that this version computes.
        folder: path of the folder with the record, `data.json`, for messages.

    Raises:
        InputError: the record is damaged.
    """
    if not _is_valid(before):
        raise InputError(f"The file {str(Path(folder) / 'data.json')!r} is damaged: give another folder.")
    before, now = _with_version(before), _with_version(now)
    if before["digest_version"] == now["digest_version"]:
        return before == now
    is_same = _counts(before) == _counts(now)
    if is_same:
        print(
            f"note: {str(folder)!r} was started by another version of tl_keras, whose digests of the data cannot be "
            "compared: the data are used as they are.",
            flush=True,
        )
    return is_same


def _with_version(fingerprint):
    """Adds the version of the digests where older records lack it, also to the fingerprint of a target."""
    nested = {name: _with_version(value) for name, value in fingerprint.items() if isinstance(value, dict)}
    return {"digest_version": 1} | fingerprint | nested


def _is_valid(record):
    """Checks the types of a record and of the target in it."""
    source = {name: value for name, value in record.items() if name != "target"}
    return _is_valid_part(source) and ("target" not in record or _is_valid_part(record["target"]))


def _is_valid_part(part):
    if not isinstance(part, dict) or not isinstance(part.get("sha256"), str):
        return False
    numbers = [value for name, value in part.items() if name != "sha256"]
    # Older records have no version of the digests.
    return all(type(number) is int and number >= 0 for number in numbers) and part.get("digest_version", 1) > 0


def _counts(fingerprint):
    return {
        name: _counts(value) if isinstance(value, dict) else value
        for name, value in fingerprint.items()
        if name not in DIGESTS
    }
