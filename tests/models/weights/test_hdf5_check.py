import io
import time

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

from tl_keras.models.weights import hdf5_check
from tl_keras.models.weights.hdf5_check import check_hdf5, open_hdf5
from tl_keras.system.budget import Budget


def check(fill, budget=None):
    """Checks a file that a function has filled, in less than the seconds that an endless walk would take."""
    content, started = io.BytesIO(), time.process_time()
    with h5py.File(content, "w") as file:
        fill(file)
    with h5py.File(content, "r") as file:
        try:
            return check_hdf5(file, content.getvalue(), budget or Budget())
        finally:
            assert time.process_time() - started < 10


def test_the_bytes_of_all_arrays_are_counted():
    def fill(file):
        file.attrs["keras_version"] = "3.15"
        file.create_group("layers/dense/vars").attrs["name"] = "dense"
        file["layers/dense/vars/0"] = np.zeros((3, 4), "float32")
        file["layers/dense/vars/1"] = np.zeros(4, "V2")
        file["layers/seed"] = np.int64(3)
        file["layers/nothing"] = np.zeros((0, 4), "float32")
        file["layers"].attrs["layer_names"] = np.array([b"dense", b"seed"])

    assert check(fill) == 48 + 8 + 8


def low_level(layout, external=()):
    """Function that creates an array of four numbers in a layout."""

    def fill(file):
        creation = h5p.create(h5p.DATASET_CREATE)
        creation.set_layout(layout)
        for name in external:
            creation.set_external(name, 0, 16)
        h5d.create(file.id, b"x", h5t.NATIVE_FLOAT, h5s.create_simple((4,)), creation)

    return fill


def chunked(**options):
    return lambda file: file.create_dataset("x", data=np.zeros(10**7, "float32"), chunks=(10**7,), **options)


def short_chunk(file):
    """Stores 16 bytes of a chunk of 4 MB, the rest of which HDF5 would take from the memory of the process."""
    data = file.create_dataset("x", (10**6,), "float32", chunks=(10**6,))
    data.id.write_direct_chunk((0,), bytes(16))


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "0", (4,))
    file.create_virtual_dataset("x", layout)


CHUNKS = {
    "chunks": chunked(),
    "deflated": chunked(compression="gzip"),
    "shuffled": chunked(shuffle=True),
    "with a checksum": chunked(fletcher32=True),
    "short": short_chunk,
    "resizable": lambda file: file.create_dataset("x", (4,), maxshape=(None,)),
    "compact": low_level(h5d.COMPACT),
    "external": low_level(h5d.CONTIGUOUS, [b"/etc/passwd"]),
    "virtual": virtual,
}


@pytest.mark.parametrize("name", CHUNKS)
def test_arrays_of_another_layout_are_refused(name):
    with pytest.raises(ValueError, match="'/x' is stored in chunks or in another file"):
        check(CHUNKS[name])


def test_a_file_and_bytes_are_opened_and_checked(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file["x"] = np.arange(3.0)
    for source in (tmp_path / "file.h5", (tmp_path / "file.h5").read_bytes()):
        with open_hdf5(source) as (file, stored_bytes):
            assert stored_bytes == 24 and file["x"][2] == 2
    for source in (b"", b"<html></html>"):
        with pytest.raises(OSError), open_hdf5(source):
            pass


def test_arrays_that_are_not_in_the_file_are_refused():
    with pytest.raises(ValueError, match="'/x' claims 12,000,000,000 bytes, of which the file holds 0"):
        check(lambda file: file.create_dataset("x", (3_000_000_000,), "f4"))


OTHER_TYPES = [h5py.ref_dtype, h5py.string_dtype(), [("a", "f4")], h5py.vlen_dtype("f4"), "S8", "c8", "V9"]


@pytest.mark.parametrize("dtype", OTHER_TYPES, ids=str)
def test_arrays_of_other_things_than_numbers_are_refused(dtype):
    with pytest.raises(ValueError, match="other than numbers"):
        check(lambda file: file.create_dataset("x", (1,), dtype))


def graph(file):
    """Creates 60 groups with two links each to the next: 2 ** 60 paths."""
    groups = [file.create_group(str(number)) for number in range(60)]
    for group, following in zip(groups, groups[1:], strict=False):
        group["a"] = group["b"] = following


def links(**names):
    return lambda file: [file.__setitem__(name, link) for name, link in names.items()]


LINKS = {
    "soft": (links(x=h5py.SoftLink("/")), "'x' is a link"),
    "external": (links(x=h5py.ExternalLink("/etc/passwd", "/")), "'x' is a link"),
    "a type": (links(x=np.dtype("f4")), "'/x' is neither a group nor an array"),
    "a graph": (graph, "is a second name of an object"),
    "a circle": (lambda file: file.create_group("x").__setitem__("up", file["/"]), "is a second name"),
    "one array twice": (lambda file: file.__setitem__("x", file.create_dataset("y", data=[1.0])), "is a second name"),
    "deep": (lambda file: file.create_group("/".join("x" * 62)), "more than 60 levels deep"),
}


@pytest.mark.parametrize("name", LINKS)
def test_all_but_a_tree_is_refused(name):
    fill, message = LINKS[name]
    with pytest.raises(ValueError, match=message):
        check(fill)


def test_objects_and_attributes_are_counted():
    def fill(file):
        file.create_group("x").attrs["a"] = 1
        file["x/y"] = 1.0
        file["x/y"].attrs["b"] = 1

    check(fill, Budget(max_objects=4))
    with pytest.raises(ValueError, match="more than 3 objects"):
        check(fill, Budget(max_objects=3))


ATTRIBUTES = {
    "a reference": h5py.Reference(),
    "a table": np.zeros(2, [("a", "f4")]),
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_that_keras_does_not_write_are_refused(name):
    def fill(file):
        file.attrs.create("x", ATTRIBUTES[name], dtype=getattr(ATTRIBUTES[name], "dtype", None))

    with pytest.raises(ValueError, match="an attribute that Keras does not write"):
        check(fill)


def test_large_attributes_are_refused_unread():
    content = io.BytesIO()
    with h5py.File(content, "w", libver="latest") as file:
        file.attrs["x"] = np.zeros(10**6, "f8")
    with h5py.File(content, "r") as file, pytest.raises(ValueError, match="attribute of more than 1000000 bytes"):
        check_hdf5(file, content.getvalue(), Budget())


def test_names_that_are_all_the_same_megabytes_are_refused_unread(monkeypatch):
    def fill(file):
        file.attrs["name"] = "x" * 20_000
        for number in range(20):
            file.create_group(str(number)).attrs["name"] = "y"

    check(fill)
    monkeypatch.setattr(hdf5_check, "MAX_TEXT_BYTES", 21 * 20_000)
    with pytest.raises(ValueError, match="its 21 names could take more than 420,000 bytes"):
        check(fill)
