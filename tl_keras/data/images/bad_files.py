"""Image files that cannot be used: reported with other problems of the data, or left out up to a limit."""

import os
from concurrent.futures import ThreadPoolExecutor

from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.wording import first_of, printable
from tl_keras.errors import InputError
from tl_keras.system.atomic_files import write_text
from tl_keras.system.escaping import for_terminal

FEW_FILES, FEW_SHARE = 5, 0.1
"""Number of files that may always be left out where any may, and their maximum fraction, which counts for few files."""

_TRIED_SIZE = 32


def add_bad_images(paths, faults):
    """Tries to decode images, and adds those that fail to other faults.

    Args:
        paths: iterable of paths of files.
        faults: `Faults` that collects the files.
    """
    for path, reason in find_bad_images(paths).items():
        faults.add("an image that cannot be used", f"{printable(path)} ({reason})", "replace or remove it")


def find_bad_images(paths):
    """Tries to decode images, and returns a dict from the path of each that fails to the reason.

    Args:
        paths: iterable of paths of files.
    """
    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reasons = dict(zip(paths, pool.map(_reason_of_failure, paths), strict=True))
    return {path: reason for path, reason in reasons.items() if reason}


def check_max_bad_files(skipped, total, max_bad_files, things="files"):
    """Refuses to leave out more files than the limit.

    Args:
        skipped: list of (name, reason) of the files to leave out.
        total: number of all files.
        max_bad_files: maximum fraction of the files that may be left out, 0 to 1; above 0 also `FEW_FILES` may, up to
            `FEW_SHARE` of all.
        things: what they are, for the message.

    Raises:
        InputError: there are more; the message names the first files.
    """
    few = int(min(FEW_FILES, FEW_SHARE * total)) if max_bad_files else 0
    fraction = len(skipped) / max(total, 1)
    if fraction > max_bad_files and len(skipped) > few:
        allowed = f"{few} {things}" if few > max_bad_files * total else f"{100 * max_bad_files:g}%"
        raise InputError(
            f"{len(skipped)} of {total} {things} cannot be used, {fraction:.1%}, where --data.on_bad_file skip allows "
            f"{allowed} at most: {listed(skipped)}; replace or remove them, or allow more with "
            f"--data.max_bad_files {-(-fraction * 1000 // 1) / 1000:g}."
        )


def listed(skipped):
    """Joins the first twenty files with their reasons, and counts the others.

    Args:
        skipped: list of (name, reason).

    Returns:
        str.
    """
    return first_of(f"{name} ({reason})" for name, reason in skipped)


def write_skipped(path, skipped):
    """Writes the files that were left out, one line each: name, tab, reason.

    Writes no file if the list is empty.

    Args:
        path: `Path` of the file to write.
        skipped: list of (name, reason).
    """
    if skipped:
        write_text(path, "".join(f"{for_terminal(name)}\t{for_terminal(reason)}\n" for name, reason in skipped))


def _reason_of_failure(path):
    try:
        read_image(path, _TRIED_SIZE)
    except BadImage as error:
        return error.reason
    return None
