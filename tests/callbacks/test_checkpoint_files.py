import os
import shutil

import numpy as np
import pytest

from tl_keras.callbacks.checkpoint_files import check_space, read_checkpoints, write_checkpoint
from tl_keras.errors import InputError

ARRAYS = {"weights": np.arange(5, dtype="float32"), "state": np.array("{}")}


@pytest.fixture
def written(tmp_path):
    """Creates a folder with the checkpoint of 3 epochs and 7 steps."""
    write_checkpoint(tmp_path, 3, 7, ARRAYS)
    return tmp_path


def test_a_checkpoint_is_read_back_bit_for_bit(written):
    [(path, arrays)] = read_checkpoints(written)
    assert path.name == "00003-000000007.npz"
    assert arrays.keys() == ARRAYS.keys()
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


def test_every_flipped_byte_is_detected(written):
    for path in list(written.iterdir()):
        data = path.read_bytes()
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :])
            assert [arrays for _, arrays in read_checkpoints(written)] == [{}], f"{path.name}, byte {place}"
        path.write_bytes(data)


@pytest.mark.parametrize("missing", ["npz", "sha256"])
def test_a_checkpoint_or_manifest_alone_is_invalid(written, missing):
    (written / f"00003-000000007.{missing}").unlink()
    assert not any(arrays for _, arrays in read_checkpoints(written))


def test_the_newest_two_checkpoints_are_kept(tmp_path):
    for epochs, steps in [(0, 0), (0, 900), (1, 0), (10, 5)]:
        write_checkpoint(tmp_path, epochs, steps, ARRAYS)
    assert [path.stem for path, _ in read_checkpoints(tmp_path)] == ["00010-000000005", "00001-000000000"]


def test_only_unfinished_files_of_killed_processes_are_removed(written):
    (written / "00004-000000000.npz").write_bytes(b"no manifest yet")
    (written / ".new-00004-000000001.npz").write_bytes(b"half")
    (written / "cache.json").write_text("{}")
    write_checkpoint(written, 4, 2, ARRAYS)
    stems = ["00003-000000007", "00004-000000002"]
    names = [f"{stem}.{suffix}" for stem in stems for suffix in ("npz", "sha256")]
    assert sorted(os.listdir(written)) == [*names, "cache.json"]


def test_a_new_checkpoint_replaces_damaged_ones_of_later_epochs(tmp_path):
    for epochs in (3, 4):
        write_checkpoint(tmp_path, epochs, 0, ARRAYS)
        (tmp_path / f"{epochs:05d}-000000000.npz").write_bytes(b"damaged")
    for epochs in (0, 1):
        write_checkpoint(tmp_path, epochs, 0, ARRAYS)
    checkpoints = [(path.stem, bool(arrays)) for path, arrays in read_checkpoints(tmp_path)]
    assert checkpoints == [("00001-000000000", True), ("00000-000000000", True)]


def full_disk(file, **arrays):
    with open("/dev/full", "wb") as device:
        device.write(b"x")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_full_disk_leaves_the_older_checkpoint_intact(written, monkeypatch):
    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left on device"):
        write_checkpoint(written, 4, 0, ARRAYS)
    assert sorted(os.listdir(written)) == ["00003-000000007.npz", "00003-000000007.sha256"]
    [(_, arrays)] = read_checkpoints(written)
    assert arrays


def test_the_disk_needs_room_for_three_checkpoints_and_the_model(written, monkeypatch):
    free = 1000 - (written / "00003-000000007.npz").stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, free))
    check_space(written, 300, 100)
    with pytest.raises(InputError, match="has 0.0 MB for a run whose checkpoints and model need 0.0 MB"):
        check_space(written, 301, 100)


def test_folders_and_files_in_the_place_of_checkpoints_end_in_no_traceback(tmp_path):
    for name in ("99999-000000000.npz", "99999-000000000.sha256"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    write_checkpoint(tmp_path / "checkpoints", 3, 7, ARRAYS)
    assert [bool(arrays) for _, arrays in read_checkpoints(tmp_path / "checkpoints")] == [False, True]
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file' is a file, but a folder is needed there"):
        write_checkpoint(tmp_path / "file", 3, 7, ARRAYS)
