"""Linear sum assignment: one prediction for each ground-truth box at minimum total cost."""

from keras import ops

NONE = -1
UNREACHED = 1e9
MAX_COST = 1e6


def linear_sum_assignment(costs, is_row):
    """Solves the linear sum assignment problem for a batch.

    Shortest augmenting paths: Jonker and Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse
    linear assignment problems" (https://doi.org/10.1007/BF02278710), in the form of Crouse 2016
    (https://doi.org/10.1109/TAES.2016.140952), as in SciPy's `linear_sum_assignment`. It adds rows one by one, for
    the whole batch at once and with static shapes, so that it compiles under XLA. No gradient flows through it.

    Args:
        costs: float32 (batch, rows, columns), well below 1e6, with at least as many columns as rows. Costs that are not
            finite count as 1e6.
        is_row: bool (batch, rows), False for padding, which gets no column.

    Returns:
        int32 (batch, rows), the column of each row, -1 for padding.
    """
    # NaN from a diverged network would make the search loop forever.
    costs = ops.nan_to_num(ops.stop_gradient(costs), nan=MAX_COST, posinf=MAX_COST, neginf=MAX_COST)

    def add_row(row, state):
        return _augment(costs, ops.take(is_row, row, axis=1), row, *state)

    row_price, column_price = ops.zeros_like(costs[:, :, 0]), ops.zeros_like(costs[:, 0, :])
    column_of_row = ops.full_like(row_price, NONE, dtype="int32")
    row_of_column = ops.full_like(column_price, NONE, dtype="int32")
    start = (column_of_row, row_of_column, row_price, column_price)
    return ops.fori_loop(0, costs.shape[1], add_row, start)[0]


def _augment(costs, is_active, row, column_of_row, row_of_column, row_price, column_price):
    """Adds one row of each problem to the assignment, which may move other rows to other columns."""
    first = ops.zeros_like(row_of_column[:, 0]) + row
    path, shortest, is_scanned, was_visited, sink, total = _search(
        costs, is_active, first, column_of_row, row_of_column, row_price, column_price
    )
    # The next search needs prices for which no reduced cost (cost minus prices) is negative.
    at_own_column = ops.take_along_axis(shortest, ops.maximum(column_of_row, 0), axis=1)
    is_first = ops.arange(costs.shape[1])[None] == first[:, None]
    gain = ops.where(is_first, total[:, None], total[:, None] - at_own_column)
    row_price = ops.where(was_visited & is_active[:, None], row_price + gain, row_price)
    spent = ops.where(is_scanned & is_active[:, None], total[:, None] - shortest, 0.0)
    column_of_row, row_of_column = _swap_along(path, sink, first, is_active, column_of_row, row_of_column)
    return column_of_row, row_of_column, row_price, column_price - spent


def _search(costs, is_active, first, column_of_row, row_of_column, row_price, column_price):
    """Finds the nearest free column from one row by Dijkstra's algorithm.

    Returns:
        Tuple of the row before each column (batch, columns), the length of the path to it, bool masks of the scanned
        columns and of the visited rows (batch, rows), the free column (batch,), and the length of the path to it.
    """
    rows, columns = costs.shape[1:]

    def is_looking(row, path, shortest, is_scanned, was_visited, sink, total):
        return ops.any(is_active & (sink < 0))

    def scan(row, path, shortest, is_scanned, was_visited, sink, total):
        is_open = is_active & (sink < 0)
        was_visited = was_visited | (is_open[:, None] & (ops.arange(rows)[None] == row[:, None]))
        cost = ops.take_along_axis(costs, row[:, None, None], axis=1)[:, 0]
        price = ops.take_along_axis(row_price, row[:, None], axis=1)
        length = total[:, None] + cost - price - column_price
        is_shorter = is_open[:, None] & ~is_scanned & (length < shortest)
        path, shortest = ops.where(is_shorter, row[:, None], path), ops.where(is_shorter, length, shortest)
        open_lengths = ops.where(is_scanned, 2 * UNREACHED, shortest)
        nearest = ops.cast(ops.argmin(open_lengths, axis=1), "int32")
        total = ops.where(is_open, ops.min(open_lengths, axis=1), total)
        is_scanned = is_scanned | (is_open[:, None] & (ops.arange(columns)[None] == nearest[:, None]))
        owner = ops.take_along_axis(row_of_column, nearest[:, None], axis=1)[:, 0]
        sink = ops.where(is_open & (owner < 0), nearest, sink)
        row = ops.where(is_open & (owner >= 0), owner, row)
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
    """Reassigns the rows along the path back from the free column to the first row."""
    rows, columns = column_of_row.shape[1], row_of_column.shape[1]

    def is_any_unfinished(column, is_unfinished, column_of_row, row_of_column):
        return ops.any(is_unfinished)

    def step(column, is_unfinished, column_of_row, row_of_column):
        row = ops.take_along_axis(path, ops.maximum(column, 0)[:, None], axis=1)[:, 0]
        at_row = is_unfinished[:, None] & (ops.arange(rows)[None] == row[:, None])
        at_column = is_unfinished[:, None] & (ops.arange(columns)[None] == column[:, None])
        former = ops.take_along_axis(column_of_row, ops.maximum(row, 0)[:, None], axis=1)[:, 0]
        row_of_column = ops.where(at_column, row[:, None], row_of_column)
        column_of_row = ops.where(at_row, column[:, None], column_of_row)
        return former, is_unfinished & (row != first), column_of_row, row_of_column

    return ops.while_loop(is_any_unfinished, step, (sink, is_active, column_of_row, row_of_column))[2:]
