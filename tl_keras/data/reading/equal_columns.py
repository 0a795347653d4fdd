"""Rows of tables with all columns that any of them has, as one output table needs them."""

from tl_keras.errors import InputError, counted

FREE_CELLS = 3_000_000
"""Cells that rows may always have together."""
MAX_RATIO = 20
"""How many times the cells that the tables hold more may be needed: each line of JSON may name columns of its own, so
that a file of 2 MB would make a table of 10 billion cells."""


def with_equal_columns(rows):
    """Completes rows by the columns of the others.

    Args:
        rows: list of dicts from column to cell.

    Returns:
        List of dicts of the same columns in the same order; cells that a row lacks are None.

    Raises:
        InputError: almost all cells would be empty, and they are too many.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    needed = len(rows) * len(names)
    if needed > FREE_CELLS and needed > MAX_RATIO * sum(map(len, rows)):
        shape = f"{counted(len(rows), 'row')} with {counted(len(names), 'column')} in all"
        raise InputError(f"{shape} would be almost empty: give tables whose rows have the same columns.")
    return [{name: row.get(name) for name in names} for row in rows]
