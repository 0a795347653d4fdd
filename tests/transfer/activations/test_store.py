import errno
import gc
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.transfer.activations import store as activation_store
from tl_keras.transfer.activations.file import DESCRIPTION
from tl_keras.transfer.activations.store import DISK_MARGIN, ActivationStore, default_folder, drop_pages

KEYS = [digit * 64 for digit in "0123456789abcdef"]
ROWS = np.arange(1000, dtype="uint8").reshape(100, 10)
FILE = ROWS.nbytes + DESCRIPTION


@pytest.fixture
def store(tmp_path):
    return ActivationStore(tmp_path / "cache", 10 * FILE)


def fill(store, *keys):
    """Stores the same rows under each key, from least to most recently used."""
    for key in keys:
        with store.create(key, ROWS.shape, "uint8") as writer:
            writer.append(ROWS)
        os.utime(store.folder / f"{key}.activations", (keys.index(key),) * 2)


def stored(store):
    """Lists the stored keys and the names of all other files except the lock."""
    names = sorted(os.listdir(store.folder))
    return [name.removesuffix(".activations") for name in names if name != ".lock"]


def run_python(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_default_folder_is_in_the_user_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "tl_keras" / "activations"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "tl_keras" / "activations"


def test_stored_rows_are_found_by_the_next_store(store):
    assert store.open(KEYS[0]) is None
    fill(store, KEYS[0])
    rows = ActivationStore(store.folder, 1).open(KEYS[0])
    np.testing.assert_array_equal(rows, ROWS)
    assert not rows.flags.writeable
    assert stored(store) == [KEYS[0]]


def test_nothing_is_found_before_the_with_block_succeeds(store):
    with store.create(KEYS[0], ROWS.shape, "uint8") as writer:
        writer.append(ROWS)
        assert store.open(KEYS[0]) is None
    assert store.open(KEYS[0]) is not None


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, OSError])
def test_a_failing_with_block_leaves_no_file_and_its_error_unchanged(store, error):
    with pytest.raises(error) as caught, store.create(KEYS[0], ROWS.shape, "uint8") as writer:
        writer.append(ROWS)
        raise error
    assert caught.type is error
    assert stored(store) == []


def test_missing_rows_leave_no_file(store):
    with pytest.raises(ValueError, match="Only 99 of 100"), store.create(KEYS[0], ROWS.shape, "uint8") as writer:
        writer.append(ROWS[1:])
    assert stored(store) == []


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"\1" + content[1:], lambda _: b""])
def test_a_damaged_file_is_removed_and_reported(store, damage, capsys):
    fill(store, KEYS[0])
    path = store.folder / f"{KEYS[0]}.activations"
    path.write_bytes(damage(path.read_bytes()))
    assert store.open(KEYS[0]) is None
    assert f"{path.name} is removed and will be computed again, because " in capsys.readouterr().out
    assert stored(store) == []
    fill(store, KEYS[0])
    assert store.open(KEYS[0]) is not None


def test_least_recently_used_files_are_evicted_first(store):
    fill(store, *KEYS[:5])
    store.open(KEYS[0])
    store.evict(7 * FILE)
    assert stored(store) == [KEYS[0], KEYS[3], KEYS[4]]
    store.evict(7 * FILE)
    assert stored(store) == [KEYS[0], KEYS[3], KEYS[4]]


def test_files_in_use_are_not_evicted(store):
    fill(store, *KEYS[:3])
    row = store.open(KEYS[0])[3]
    assert store.room() == 9 * FILE
    store.evict(9 * FILE)
    assert stored(store) == [KEYS[0]]
    with pytest.raises(InputError, match="do not fit"):
        store.evict(9 * FILE + 1)
    np.testing.assert_array_equal(row, ROWS[3])
    del row
    gc.collect()
    store.evict(10 * FILE)
    assert stored(store) == []


def test_files_used_by_another_process_are_not_evicted_until_it_dies(store):
    fill(store, KEYS[0], KEYS[1])
    code = (
        "import sys; from tl_keras.transfer.activations.store import ActivationStore\n"
        "array = ActivationStore(sys.argv[1], 1).open(sys.argv[2]); print('open', flush=True); input()"
    )
    with run_python(code, store.folder, KEYS[0]) as process:
        assert process.stdout.readline() == "open\n"
        store.evict(9 * FILE)
        assert stored(store) == [KEYS[0]]
        process.kill()
    store.evict(10 * FILE)
    assert stored(store) == []


def test_an_array_that_does_not_fit_evicts_nothing(store):
    fill(store, KEYS[0])
    refusal = pytest.raises(InputError, match=r"do not fit into .* room for 0\.1 MB .*: give --cache.folder on another")
    with refusal, store.create(KEYS[1], (10 * FILE,), "uint8"):
        pass
    assert stored(store) == [KEYS[0]]


def test_concurrent_writers_count_each_other(store):
    with store.create(KEYS[0], (5 * FILE,), "uint8") as writer:
        assert store.room() == 5 * FILE - DESCRIPTION
        refusal = pytest.raises(InputError, match="do not fit")
        with refusal, store.create(KEYS[1], (5 * FILE,), "uint8"):
            pass
        writer.append(np.zeros(5 * FILE, "uint8"))
    assert stored(store) == [KEYS[0]]


@pytest.mark.parametrize("free", [DISK_MARGIN + FILE - 1, 0])
def test_the_disk_keeps_its_margin(store, monkeypatch, free):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(InputError, match=r"0\.0 MB free on the disk"):
        fill(store, KEYS[0])
    assert stored(store) == []


def test_old_files_make_room_on_a_full_disk(store, monkeypatch):
    fill(store, *KEYS[:3])

    def disk_usage(folder):
        return SimpleNamespace(free=DISK_MARGIN + FILE // 2 + (3 - len(stored(store))) * FILE)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    assert store.room() == 3 * FILE + FILE // 2
    store.evict(FILE)
    assert stored(store) == KEYS[1:3]


def test_a_disk_that_becomes_full_leaves_no_file(store, monkeypatch):
    def fsync(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(InputError, match="cannot be stored in .*: No space left on device; give another"):
        fill(store, KEYS[0])
    assert stored(store) == []


@pytest.mark.parametrize("name", ["file", "file/cache"])
def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used: .*; give --cache.folder another"):
        ActivationStore(tmp_path / name, 1)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be used: Permission denied"):
        ActivationStore(tmp_path, 1)


def test_only_unfinished_files_of_killed_processes_are_removed(store):
    code = (
        "import sys; from tl_keras.transfer.activations.store import ActivationStore\n"
        "with ActivationStore(sys.argv[1], 1e6).create('f' * 64, (9,), 'uint8'): print('started', flush=True); input()"
    )
    with run_python(code, store.folder) as process:
        assert process.stdout.readline() == "started\n"
        assert len(stored(ActivationStore(store.folder, 1))) == 1
        process.kill()
    assert len(stored(store)) == 1
    assert stored(ActivationStore(store.folder, 1)) == []


def test_two_processes_storing_one_key_both_succeed(store):
    code = (
        "import sys; import numpy as np; from tl_keras.transfer.activations.store import ActivationStore\n"
        "store = ActivationStore(sys.argv[1], 1e6)\n"
        "with store.create('f' * 64, (1000,), 'int32') as writer:\n"
        "    print('started', flush=True); input(); writer.append(np.arange(1000, dtype='int32'))\n"
        "print(store.open('f' * 64).sum(), flush=True)"
    )
    with run_python(code, store.folder) as first, run_python(code, store.folder) as second:
        for process in (first, second):
            assert process.stdout.readline() == "started\n"
        outputs = [process.communicate("\n")[0] for process in (first, second)]
    assert outputs == ["499500\n"] * 2
    assert stored(store) == ["f" * 64]


def test_a_file_in_use_that_cannot_be_replaced_is_used_instead(store, monkeypatch):
    fill(store, KEYS[0])

    def replace(*_):
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(os, "replace", replace)
    fill(store, KEYS[0])
    assert stored(store) == [KEYS[0]]
    with pytest.raises(InputError, match="in use"):
        fill(store, KEYS[1])
    assert stored(store) == [KEYS[0]]


def test_files_are_stored_and_evicted_without_file_locks(store, monkeypatch):
    monkeypatch.setattr(activation_store, "fcntl", None)
    fill(store, *KEYS[:2])
    np.testing.assert_array_equal(store.open(KEYS[0]), ROWS)
    store.evict(9 * FILE)
    assert stored(store) == [KEYS[0]]


def test_a_file_is_measured_and_removed_while_an_array_of_it_stays_readable(store):
    assert store.num_bytes(KEYS[0]) == 0
    fill(store, KEYS[0])
    assert store.num_bytes(KEYS[0]) == FILE
    rows = store.open(KEYS[0])
    store.remove(KEYS[0])
    store.remove(KEYS[1])
    assert stored(store) == []
    np.testing.assert_array_equal(rows, ROWS)


def test_no_file_is_created_while_another_store_holds_the_lock(store):
    other = ActivationStore(store.folder, 10 * FILE)
    other._lock.timeout = 0
    with store.locked(), pytest.raises(InputError, match="cannot be used"):
        fill(other, KEYS[0])
    fill(other, KEYS[0])
    assert stored(store) == [KEYS[0]]


@pytest.mark.parametrize("key", ["", "../" + "a" * 61, "A" * 64, "a" * 63])
def test_an_invalid_key_is_refused(store, key):
    with pytest.raises(ValueError, match="Invalid value for argument `key`"):
        store.open(key)


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps"), reason="reads the kernel's own account of memory")
def test_dropped_pages_leave_memory_and_can_be_read_again(store):
    with ActivationStore(store.folder, 2**30).create(KEYS[0], (2**24,), "uint8") as writer:
        writer.append(np.ones(2**24, "uint8"))
    array = store.open(KEYS[0])
    assert array.sum() == 2**24
    assert resident_bytes(array) > 2**23
    drop_pages(array[5:].reshape(-1))
    assert resident_bytes(array) == 0
    assert array.sum() == 2**24
    drop_pages(np.ones(3))


def resident_bytes(array):
    """Reads how many bytes of a memory-mapped file are resident in this process."""
    with open("/proc/self/smaps", encoding="utf-8") as file:
        _, _, mapping = file.read().partition(str(array.filename))
    return 1024 * int(mapping.partition("Rss:")[2].split()[0])
