"""Assigns each true box a prediction of its own so that the sum of the costs is smallest."""

from keras import ops

NONE = -1
UNREACHED = 1e9
WORST = 1e6


def linear_sum_assignment(costs, is_row):
    """Solves the assignment problem for a batch.

    Shortest augmenting paths: Jonker and Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse
    linear assignment problems" (https://doi.org/10.1007/BF02278710), in the form of Crouse 2016
    (https://doi.org/10.1109/TAES.2016.140952), which SciPy's `linear_sum_assignment` takes too. Row by row, for all of
    the batch at once and with static shapes, so that it compiles under XLA. No gradient flows through it.

    Args:
        costs: float32 (batch, rows, columns), well below 1e6, columns at least as many as rows. What is not finite
            counts as 1e6.
        is_row: bool (batch, rows); other rows get no column and take none.

    Returns:
        int32 (batch, rows), a column for each row, -1 where there is no row.
    """
    # A diverged network must not make the search go round for ever.
    costs = ops.nan_to_num(ops.stop_gradient(costs), nan=WORST, posinf=WORST, neginf=WORST)

    def add_row(row, state):
        return _augment(costs, ops.take(is_row, row, axis=1), row, *state)

    row_price, column_price = ops.zeros_like(costs[:, :, 0]), ops.zeros_like(costs[:, 0, :])
    column_of_row = ops.full_like(row_price, NONE, dtype="int32")
    row_of_column = ops.full_like(column_price, NONE, dtype="int32")
    start = (column_of_row, row_of_column, row_price, column_price)
    return ops.fori_loop(0, costs.shape[1], add_row, start)[0]


def _augment(costs, is_active, row, column_of_row, row_of_column, row_price, column_price):
    """Gives one row of each problem a column, for which others may have to change theirs."""
    first = ops.zeros_like(row_of_column[:, 0]) + row
    path, shortest, is_scanned, was_visited, sink, total = _search(
        costs, is_active, first, column_of_row, row_of_column, row_price, column_price
    )
    # The prices stay such that no cost less them is negative: the condition for the next search to be right.
    at_own_column = ops.take_along_axis(shortest, ops.maximum(column_of_row, 0), axis=1)
    is_first = ops.arange(costs.shape[1])[None] == first[:, None]
    gain = ops.where(is_first, total[:, None], total[:, None] - at_own_column)
    row_price = ops.where(was_visited & is_active[:, None], row_price + gain, row_price)
    spent = ops.where(is_scanned & is_active[:, None], total[:, None] - shortest, 0.0)
    column_of_row, row_of_column = _swap_along(path, sink, first, is_active, column_of_row, row_of_column)
    return column_of_row, row_of_column, row_price, column_price - spent


def _search(costs, is_active, first, column_of_row, row_of_column, row_price, column_price):
    """Dijkstra's algorithm from one row to the nearest free column.

    Returns:
        Tuple: the row before each column (batch, columns), the length of the way to it, which columns were scanned,
        which rows (batch, rows) were visited, the free column (batch,), and the length of the way to that.
    """
    rows, columns = costs.shape[1:]

    def is_looking(row, path, shortest, is_scanned, was_visited, sink, total):
        return ops.any(is_active & (sink < 0))

    def scan(row, path, shortest, is_scanned, was_visited, sink, total):
        goes_on = is_active & (sink < 0)
        was_visited = was_visited | (goes_on[:, None] & (ops.arange(rows)[None] == row[:, None]))
        cost = ops.take_along_axis(costs, row[:, None, None], axis=1)[:, 0]
        price = ops.take_along_axis(row_price, row[:, None], axis=1)
        length = total[:, None] + cost - price - column_price
        is_shorter = goes_on[:, None] & ~is_scanned & (length < shortest)
        path, shortest = ops.where(is_shorter, row[:, None], path), ops.where(is_shorter, length, shortest)
        open_lengths = ops.where(is_scanned, 2 * UNREACHED, shortest)
        nearest = ops.cast(ops.argmin(open_lengths, axis=1), "int32")
        total = ops.where(goes_on, ops.min(open_lengths, axis=1), total)
        is_scanned = is_scanned | (goes_on[:, None] & (ops.arange(columns)[None] == nearest[:, None]))
        owner = ops.take_along_axis(row_of_column, nearest[:, None], axis=1)[:, 0]
        sink = ops.where(goes_on & (owner < 0), nearest, sink)
        row = ops.where(goes_on & (owner >= 0), owner, row)
        return row, path, shortest, is_scanned, was_visited, sink, total

    start = (
        first,
        ops.full_like(row_of_column, NONE),
        ops.full_like(column_price, UNREACHED),
        ops.zeros_like(row_of_column, dtype="bool"),
        ops.zeros_like(column_of_row, dtype="bool"),
        ops.full_like(first, NONE),
        ops.zeros_like(column_price[:, 0]),
    )
    return ops.while_loop(is_looking, scan, start)[1:]


def _swap_along(path, sink, first, is_active, column_of_row, row_of_column):
    """Gives every row on the way back from the free column the column that it was left by."""
    rows, columns = column_of_row.shape[1], row_of_column.shape[1]

    def is_walking(column, goes_on, column_of_row, row_of_column):
        return ops.any(goes_on)

    def step(column, goes_on, column_of_row, row_of_column):
        row = ops.take_along_axis(path, ops.maximum(column, 0)[:, None], axis=1)[:, 0]
        at_row = goes_on[:, None] & (ops.arange(rows)[None] == row[:, None])
        at_column = goes_on[:, None] & (ops.arange(columns)[None] == column[:, None])
        former = ops.take_along_axis(column_of_row, ops.maximum(row, 0)[:, None], axis=1)[:, 0]
        row_of_column = ops.where(at_column, row[:, None], row_of_column)
        column_of_row = ops.where(at_row, column[:, None], column_of_row)
        return former, goes_on & (row != first), column_of_row, row_of_column

    return ops.while_loop(is_walking, step, (sink, is_active, column_of_row, row_of_column))[2:]
