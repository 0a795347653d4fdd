"""Writing of CSV files that appear only once they are complete."""

import contextlib
from pathlib import Path

from tl_keras.system.atomic_files import atomic_path


class _UnixLines:
    """Ends the rows of a `csv.writer` as all other files of this project end their lines.

    The writer must not know, because it quotes the characters of its own line ends only.
    """

    def __init__(self, file):
        self._file = file

    def write(self, row):
        return self._file.write(row.removesuffix("\r\n") + "\n")


@contextlib.contextmanager
def open_csv(path):
    """Opens a file for the `csv` module, which takes its place once the context ends without an error.

    Args:
        path: the file.

    Yields:
        Object to write rows to. Halves of characters, which texts and names of files may have, are written as they are.
    """
    with (
        atomic_path(Path(path)) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogatepass", newline="") as file,
    ):
        yield _UnixLines(file)
