"""Writing of CSV files that appear only once they are complete."""

import contextlib
from pathlib import Path

from tl_keras.system.atomic_files import atomic_path


@contextlib.contextmanager
def open_csv(path):
    """Opens a file for the `csv` module, which takes its place once the context ends without an error.

    Args:
        path: the file.

    Yields:
        Text stream. Halves of characters, which texts and names of files may have, are written as they are.
    """
    with (
        atomic_path(Path(path)) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogatepass", newline="") as file,
    ):
        yield file
