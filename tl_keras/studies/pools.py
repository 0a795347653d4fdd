"""Finds the unlabelled examples of a pool, without TensorFlow, and refuses to choose more than there are."""

from dataclasses import dataclass

from tl_keras import data
from tl_keras.errors import InputError, counted
from tl_keras.tasks.registry import TASKS


@dataclass(frozen=True, eq=False)
class Pool:
    """Holds the unlabelled examples of a folder or table.

    Attributes:
        path: path, as the user gave it.
        records: `Records` of all examples, of which some may be unreadable or labelled already.
    """

    path: str
    records: data.Records

    def require(self, count, available, which=""):
        """Raises an `InputError` if more examples are to be chosen than are available."""
        if count > available:
            raise InputError(
                f"--count {count} is more than the {counted(available, 'example')} of the pool "
                f"{str(self.path)!r}{which}: give --count {available} or less."
            )


def find_pool(config, path, count):
    """Finds the examples of a pool.

    Args:
        config: `RunConfig`.
        path: path of the unlabelled examples.
        count: number of examples to choose.

    Returns:
        `Pool`.

    Raises:
        InputError: the pool cannot be used, or has fewer examples.
    """
    pool = Pool(path, TASKS[config.task].find_pool(config, path))
    pool.require(count, len(pool.records))
    return pool
