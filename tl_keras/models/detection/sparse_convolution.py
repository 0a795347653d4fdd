"""Convolution at selected cells of a map, without the cost of the whole map."""

import numpy as np
from keras import ops

DOWN, RIGHT = (offsets.reshape(-1).astype("int32") for offsets in np.mgrid[-1:2, -1:2])


def convolve_at(maps, kernel, cells):
    """Computes a 3 x 3 convolution with "same" padding at selected cells.

    It saves most of the backward pass, whose gradients are computed for these cells only.

    Args:
        maps: list of floating-point (batch, size, size, channels), static except for the batch.
        kernel: floating-point (3, 3, channels, filters), of the same dtype.
        cells: int32 (batch, n), indices into the cells of all maps, ordered by map, row and column.

    Returns:
        (batch, n, filters), in the dtype of the maps.
    """
    sizes = [part.shape[1] for part in maps]
    starts, own_sizes, rows, columns = (ops.convert_to_tensor(table) for table in _tables(sizes))
    row, column, size = (ops.take(table, cells) for table in (rows, columns, own_sizes))
    flat = ops.concatenate([ops.reshape(part, (-1, part.shape[1] * part.shape[2], part.shape[3])) for part in maps], 1)
    start = ops.take(starts, cells) + ops.arange(ops.shape(cells)[0], dtype="int32")[:, None] * flat.shape[1]
    row, column = row[..., None] + DOWN, column[..., None] + RIGHT
    is_inside = (row >= 0) & (row < size[..., None]) & (column >= 0) & (column < size[..., None])
    at = ops.where(is_inside, start[..., None] + row * size[..., None] + column, 0)
    patches = ops.take(ops.reshape(flat, (-1, flat.shape[2])), at, axis=0)
    patches = patches * ops.cast(is_inside, patches.dtype)[..., None]
    inputs = len(DOWN) * flat.shape[2]
    return ops.matmul(ops.reshape(patches, (-1, cells.shape[1], inputs)), ops.reshape(kernel, (inputs, -1)))


def _tables(sizes):
    """Returns int32 (4, cells): start and size of each cell's map, its row and its column."""
    tables, start = [], 0
    for size in sizes:
        row, column = np.divmod(np.arange(size * size), size)
        tables.append([np.full(size * size, start), np.full(size * size, size), row, column])
        start += size * size
    return np.concatenate(tables, axis=1).astype("int32")
