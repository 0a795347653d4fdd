"""Reading of archives of arrays, which this project writes uncompressed with `numpy.savez`."""

import os
import zipfile
import zlib

import numpy as np

from tl_keras.system.stored.files import is_sparse

DAMAGE = (
    *(OSError, KeyError, ValueError, EOFError, MemoryError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What NumPy and zipfile raise for files that are not as they wrote them."""


def read_arrays(path, names=None):
    """Reads the arrays of an archive.

    Args:
        path: the .npz file.
        names: names of the arrays; None reads all.

    Returns:
        Dict from name to array; None if the file is missing or damaged, lacks a name, or would take more memory than it
        has bytes.
    """
    try:
        if _claims_more_than_it_has(path):
            return None
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in (file.files if names is None else names)}
    except DAMAGE:
        return None


def are_alike(arrays, variables):
    """Returns whether arrays that others may have made have the number, the shapes and the types of variables.

    Args:
        arrays: list of arrays.
        variables: list of `keras.Variable`, or of arrays.
    """
    kinds = [(array.shape, array.dtype.name) for array in arrays]
    return kinds == [(tuple(variable.shape), str(variable.dtype)) for variable in variables]


def _claims_more_than_it_has(path):
    """Returns True for compressed members and for members that share their bytes, or a file of holes."""
    with zipfile.ZipFile(path) as archive:
        claimed = sum(member.file_size for member in archive.infolist())
    return claimed > os.path.getsize(path) or is_sparse(path)
