import io
import os
import zipfile

import numpy as np
import pytest

from tl_keras.system.stored.arrays import read_arrays

ARRAYS = {"a": np.arange(5.0), "b": np.array("{}")}


def written(path, save=np.savez, arrays=ARRAYS):
    save(path, **arrays)
    return path


def test_arrays_are_read_by_name_or_all(tmp_path):
    path = written(tmp_path / "x.npz")
    assert {name: array.tolist() for name, array in read_arrays(path).items()} == {"a": [0, 1, 2, 3, 4], "b": "{}"}
    assert list(read_arrays(path, ["b"])) == ["b"]
    assert read_arrays(path, ["c"]) is None and read_arrays(tmp_path / "missing.npz") is None


def test_every_cut_is_damage(tmp_path):
    path = written(tmp_path / "x.npz")
    content = path.read_bytes()
    for end in range(0, len(content), 7):
        path.write_bytes(content[:end])
        assert read_arrays(path) is None, end


def test_compressed_arrays_are_refused_without_being_unpacked(tmp_path):
    path = written(tmp_path / "x.npz", np.savez_compressed, {"a": np.zeros(10**7)})
    assert path.stat().st_size < 10**5 and read_arrays(path) is None


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        stream = io.BytesIO()
        np.save(stream, np.zeros(1000))
        archive.writestr("a0.npy", stream.getvalue())
        first = archive.infolist()[0]
        for number in range(1, 9):
            copy = zipfile.ZipInfo(f"a{number}.npy")
            for name in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(copy, name, getattr(first, name))
            archive.filelist.append(copy)
    assert read_arrays(path) is None


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\x93NUMPY\1\0"])
def test_other_files_are_damage(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    assert read_arrays(tmp_path / "x.npz") is None


def test_one_array_under_the_name_of_an_archive_is_damage(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    os.rename(tmp_path / "x.npy", tmp_path / "x.npz")
    assert read_arrays(tmp_path / "x.npz") is None


def test_pickles_are_not_read(tmp_path):
    assert read_arrays(written(tmp_path / "x.npz", arrays={"a": np.array([os.getcwd], object)})) is None
