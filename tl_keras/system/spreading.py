"""Rows that stand for a whole part of the data."""

import numpy as np


def spread_rows(part, count):
    """Returns up to a number of rows of a part of the data, evenly spread, int (k,)."""
    return np.unique(np.linspace(0, len(part) - 1, min(count, len(part))).astype(int))
