"""Files that cannot be used: named together with whatever else is wrong with the data, or left out within limits."""

import os
from concurrent.futures import ThreadPoolExecutor

from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.wording import first_of, printable
from tl_keras.errors import InputError

_TRIED_SIZE = 32


def add_bad_images(paths, faults):
    """Tries to decode images, so that those that cannot be used are told along with other faults.

    Args:
        paths: iterable of paths of files.
        faults: `Faults` to add them to.
    """
    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, reason in zip(paths, pool.map(_reason_of_failure, paths), strict=True):
            if reason:
                faults.add("an image that cannot be used", f"{printable(path)} ({reason})", "replace or remove it")


def require_few(skipped, total, largest_share):
    """Refuses to go on without files where that would be too many to be an accident.

    Args:
        skipped: list of (name, reason) of the files to leave out.
        total: number of all files.
        largest_share: the largest share of them that may be left out, 0 to 1.

    Raises:
        InputError: it is a larger one; names the first files.
    """
    share = len(skipped) / max(total, 1)
    if share > largest_share:
        raise InputError(
            f"{len(skipped)} of {total} files cannot be used, {share:.1%}, where --data.on_bad_file skip goes on "
            f"without {100 * largest_share:g}% at most: {listed(skipped)}; replace or remove them, or allow more with "
            f"--data.max_bad_files {-(-share * 1000 // 1) / 1000:g}."
        )


def listed(skipped):
    """Names files, each with its reason.

    Args:
        skipped: list of (name, reason).

    Returns:
        str, the first twenty and the number of the others.
    """
    return first_of(f"{name} ({reason})" for name, reason in skipped)


def write_skipped(path, skipped):
    """Writes the list of the files that were left out, a line with name, tab and reason for each; none, no file.

    Args:
        path: `Path` of the file to write.
        skipped: list of (name, reason).
    """
    if skipped:
        path.write_text("".join(f"{name}\t{reason}\n" for name, reason in skipped), encoding="utf-8")


def _reason_of_failure(path):
    try:
        read_image(path, _TRIED_SIZE)
    except BadImage as error:
        return error.reason
    return None
