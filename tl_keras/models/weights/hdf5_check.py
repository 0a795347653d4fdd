"""Check of a whole HDF5 file before a value in it is read.

Keras writes each array as one contiguous block, in a tree of groups. Other layouts are for files of other programs, or
made to harm: HDF5 returns the memory of the process where a chunk is stored short, decompresses a chunk of 12 MB to 8
GiB, and follows links into other files.
"""

import contextlib
import io
import mmap
import re

import h5py
from h5py import h5a, h5d, h5o, h5t

from tl_keras.errors import counted, quoted
from tl_keras.system.budget import Budget
from tl_keras.system.stored.files import refuse_sparse

MAX_DEPTH = 60
MAX_ATTRIBUTE_BYTES = 1_000_000
MAX_TEXT_BYTES = 500_000_000
"""Maximum memory of all texts in attributes, if each were as large as the largest block of texts."""
TEXT_BLOCK = re.compile(rb"GCOL\x01\0\0\0(.{8})", re.DOTALL)
"""Start of a global heap collection, with its size, in the format specification of HDF5."""
NUMBER_KINDS = "biuf"
BFLOAT16 = "|V2"
"""HDF5 does not know bfloat16, which h5py stores as opaque bytes."""
ATTRIBUTE_CLASSES = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.STRING)


@contextlib.contextmanager
def open_hdf5(source, budget=None):
    """Opens a file of a stranger once it is checked.

    Args:
        source: path of the file, or its content as bytes.
        budget: `Budget` that each group, array and attribute is counted in; None takes a new one.

    Yields:
        Tuple of the open `h5py.File` and the number of bytes of its arrays.

    Raises:
        OSError: it is not an HDF5 file.
        ValueError: see `check_hdf5`.
    """
    with contextlib.ExitStack() as stack:
        content = source
        if not isinstance(source, bytes):
            refuse_sparse(source)
            opened = stack.enter_context(open(source, "rb"))
            content = stack.enter_context(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
        file = stack.enter_context(h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r"))
        yield file, check_hdf5(file, content, budget or Budget())


def check_hdf5(file, content, budget):
    """Checks that a file is a tree of groups with contiguous arrays of numbers that lie completely in the file.

    Reads neither arrays nor attributes, only what the file says about them, and visits each object once.

    Args:
        file: open `h5py.File`.
        content: bytes or memory map of the same file.
        budget: `Budget` that each group, array and attribute is counted in.

    Returns:
        Number of bytes of all arrays.

    Raises:
        ValueError: the file has something else, or too many objects.
    """
    array_bytes, texts, seen = 0, 0, {h5o.get_info(file.id).addr}
    groups = [(file["/"], 0)]
    while groups:
        group, depth = groups.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"its groups are nested more than {MAX_DEPTH} levels deep")
        texts += _check_attributes(group, budget)
        budget.visit(len(group))
        names = list(group)
        for name in names:
            item = _open_child(group, name)
            address = h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"{quoted(item.name)} is a second name of an object")
            seen.add(address)
            if isinstance(item, h5py.Group):
                groups.append((item, depth + 1))
            else:
                texts += _check_attributes(item, budget)
                array_bytes += _check_array(item, len(content))
    _check_texts(texts, content)
    if array_bytes > len(content):
        raise ValueError(f"its arrays claim {counted(array_bytes, 'byte')}, of which the file holds {len(content):,}")
    return array_bytes


def _open_child(group, name):
    # HDF5 would follow the parts of a name that contains slashes.
    if "/" in name or name == "." or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{quoted(name)} is a link")
    item = group[name]
    if not isinstance(item, h5py.Group | h5py.Dataset):
        raise ValueError(f"{quoted(item.name)} is neither a group nor an array")
    return item


def _check_array(array, file_size):
    creation = array.id.get_create_plist()
    if creation.get_layout() != h5d.CONTIGUOUS or creation.get_external_count():
        raise ValueError(f"{quoted(array.name)} is stored in chunks or in another file, where Keras uses one block")
    if array.dtype.kind not in NUMBER_KINDS and array.dtype.str != BFLOAT16:
        raise ValueError(f"{quoted(array.name)} holds data other than numbers")
    held = array.id.get_storage_size()
    if array.nbytes and (held != array.nbytes or array.id.get_offset() + held > file_size):
        raise ValueError(
            f"{quoted(array.name)} claims {counted(array.nbytes, 'byte')}, of which the file holds {held:,}"
        )
    return array.nbytes


def _check_attributes(item, budget):
    """Checks the attributes of a group or an array, and returns how many texts of any length they hold."""
    number, texts = h5a.get_num_attrs(item.id), 0
    budget.visit(number)
    for index in range(number):
        attribute = h5a.open(item.id, index=index)
        kind, elements = attribute.get_type(), attribute.get_space().get_simple_extent_npoints()
        if kind.get_class() not in ATTRIBUTE_CLASSES:
            raise ValueError(f"{quoted(item.name)} has an attribute that Keras does not write")
        if kind.get_size() * elements > MAX_ATTRIBUTE_BYTES:
            raise ValueError(f"{quoted(item.name)} has an attribute of more than {MAX_ATTRIBUTE_BYTES} bytes")
        if kind.get_class() == h5t.STRING and kind.is_variable_str():
            texts += elements
    return texts


def _check_texts(number, content):
    """Limits the memory of texts, since any number of them may be the same megabytes in the file."""
    largest = max((int.from_bytes(size, "little") for size in TEXT_BLOCK.findall(content)), default=0)
    if number * min(largest, len(content)) > MAX_TEXT_BYTES:
        raise ValueError(f"its {counted(number, 'name')} could take more than {MAX_TEXT_BYTES:,} bytes")
