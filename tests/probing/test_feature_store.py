import hashlib
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.probing import feature_shards, feature_store
from tl_keras.probing.feature_store import FeatureStore

NETWORK = "a" * 64
WIDTH = 6
SHARED_CODE = """
import hashlib, sys
import numpy as np
from tl_keras.probing import feature_store
feature_store.ROWS_PER_SHARD = 4
digests = [hashlib.sha256(bytes([number])).digest() for number in range(20)]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder of a store whose shards have four rows."""
    monkeypatch.setattr(feature_store, "ROWS_PER_SHARD", 4)
    return tmp_path / "features"


def digest(number):
    return hashlib.sha256(bytes([number])).digest()


def expected(numbers):
    return np.array(numbers, np.float32)[:, np.newaxis] + np.arange(WIDTH, dtype=np.float32) / 8


def collect(store, numbers, network=NETWORK, batch_size=3):
    """Collects and checks the features of the numbers; returns those that were computed."""
    computed = []

    def compute(indices):
        for start in range(0, len(indices), batch_size):
            batch = [numbers[index] for index in indices[start : start + batch_size]]
            yield expected(batch)
            computed.extend(batch)

    rows = store.rows(network, [digest(number) for number in numbers], WIDTH, compute)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, expected(numbers))
    return computed


def open_store(folder):
    return FeatureStore(folder, 2**20)


def shards(folder):
    """Lists the files of shards, the oldest first."""
    return sorted(folder.glob("*.activations"), key=lambda path: path.stat().st_mtime_ns)


def never(indices):
    raise AssertionError(f"{len(indices)} rows are computed again")


def run_python(code, *arguments):
    command = [sys.executable, "-c", SHARED_CODE + code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_only_new_examples_are_computed(folder):
    assert collect(open_store(folder), range(10)) == list(range(10))
    assert collect(open_store(folder), range(10)) == []
    assert collect(open_store(folder), [12, *reversed(range(10)), 11]) == [12, 11]


def test_duplicates_are_computed_once(folder):
    assert collect(open_store(folder), [5, 5, 3, 5]) == [5, 3]
    assert collect(open_store(folder), [3, 3, 5]) == []


def test_networks_and_widths_have_their_own_features(folder):
    store = open_store(folder)
    collect(store, range(3))
    assert collect(store, range(3), network="b" * 64) == [0, 1, 2]
    wider = store.rows(NETWORK, [digest(0)], WIDTH + 1, lambda _: [np.ones((1, WIDTH + 1))])
    np.testing.assert_array_equal(wider, np.ones((1, WIDTH + 1)))


def test_the_default_folder_is_in_the_user_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    collect(FeatureStore(max_bytes=2**20), range(3))
    assert len(shards(tmp_path / "tl_keras" / "features")) == 1


def test_without_a_maximum_size_nothing_is_stored(folder):
    assert collect(FeatureStore(folder), [1, 1, 2]) == [1, 2]
    assert not folder.exists()


def test_no_examples_give_no_rows(folder):
    assert open_store(folder).rows(NETWORK, [], WIDTH, never).shape == (0, WIDTH)


def test_rows_are_stored_shard_by_shard_while_they_are_computed(folder):
    counts = []

    def compute(indices):
        for index in indices.tolist():
            counts.append(len(shards(folder)))
            yield expected([index])

    open_store(folder).rows(NETWORK, [digest(number) for number in range(10)], WIDTH, compute)
    assert counts == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2] and len(shards(folder)) == 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_rows_before_an_interruption_are_stored(folder, error):
    def compute(_):
        yield expected(range(6))
        raise error

    with pytest.raises(error):
        open_store(folder).rows(NETWORK, [digest(number) for number in range(9)], WIDTH, compute)
    assert collect(open_store(folder), range(9)) == [6, 7, 8]


def test_a_killed_process_loses_the_rows_of_one_shard_at_most(folder):
    code = """
def compute(indices):
    for index in indices:
        if index == 10:
            print("computing", flush=True); input()
        yield index + np.arange(6, dtype="float32")[None] / 8
feature_store.FeatureStore(sys.argv[1], 2**20).rows("a" * 64, digests, 6, compute)
"""
    with run_python(code, folder) as process:
        assert process.stdout.readline() == "computing\n"
        process.kill()
    assert collect(open_store(folder), range(20)) == list(range(8, 20))
    assert not list(folder.glob(".new-*"))


def test_two_processes_computing_the_same_rows_both_store_them(folder):
    code = """
def compute(indices):
    print("computing", flush=True); input()
    for start in range(0, len(indices), 4):
        yield indices[start : start + 4, None] + np.arange(6, dtype="float32") / 8
rows = feature_store.FeatureStore(sys.argv[1], 2**20).rows("a" * 64, digests[:int(sys.argv[2])], 6, compute)
print(rows.sum(), flush=True)
"""
    with run_python(code, folder, 20) as first, run_python(code, folder, 19) as second:
        for process in (first, second):
            assert process.stdout.readline() == "computing\n"
        for process in (first, second):
            process.stdin.write("\n")
            process.stdin.flush()
        outputs = [float(process.communicate()[0]) for process in (first, second)]
    assert outputs == [expected(range(20)).sum(), expected(range(19)).sum()]
    assert collect(open_store(folder), range(20)) == []


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_missing_shard_is_computed_again(folder, lost):
    collect(open_store(folder), range(12), batch_size=4)
    shards(folder)[lost].unlink()
    assert collect(open_store(folder), range(12)) == list(range(4 * lost, 4 * lost + 4))
    assert collect(open_store(folder), range(12)) == []


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"\1" + content[1:], lambda _: b""])
def test_a_damaged_shard_is_reported_and_computed_again(folder, damage, capsys):
    collect(open_store(folder), range(12), batch_size=4)
    path = shards(folder)[1]
    path.write_bytes(damage(path.read_bytes()))
    assert collect(open_store(folder), range(12)) == [4, 5, 6, 7]
    assert f"{path.name} is removed and will be computed again, because " in capsys.readouterr().out
    assert collect(open_store(folder), range(12)) == []


def test_the_features_of_the_least_recently_used_network_make_room(folder):
    first, second, third = "1" * 64, "2" * 64, "3" * 64
    collect(open_store(folder), range(4), first)
    store = FeatureStore(folder, 2 * shards(folder)[0].stat().st_size)
    collect(store, range(4), second)
    assert collect(store, range(4), first) == []
    collect(store, range(4), third)
    assert [collect(FeatureStore(folder, 0), range(4), network) for network in (first, second, third)] == [
        [],
        [0, 1, 2, 3],
        [],
    ]


def test_small_shards_are_merged(folder, monkeypatch):
    monkeypatch.setattr(feature_shards, "MAX_SMALL_SHARDS", 3)
    for count in range(1, 5):
        collect(open_store(folder), range(count))
    assert len(shards(folder)) == 1
    assert collect(open_store(folder), range(4)) == []


def test_large_shards_are_not_written_again(folder, monkeypatch):
    monkeypatch.setattr(feature_shards, "MAX_SMALL_SHARDS", 1)
    monkeypatch.setattr(feature_shards, "SMALL_SHARD_BYTES", 1)
    for count in range(1, 5):
        collect(open_store(folder), range(count))
    assert len(shards(folder)) == 4


def test_shards_are_not_merged_without_room_for_all_at_once(folder, monkeypatch, capsys):
    collect(open_store(folder), [0])
    size = shards(folder)[0].stat().st_size
    monkeypatch.setattr(feature_shards, "MAX_SMALL_SHARDS", 2)
    for count in (2, 3):
        collect(FeatureStore(folder, 3 * size), range(count))
    assert len(shards(folder)) == 3 and not capsys.readouterr().out


def test_a_damaged_shard_is_left_out_of_a_merge(folder, monkeypatch):
    for count in range(1, 4):
        collect(open_store(folder), range(count))
    monkeypatch.setattr(feature_shards, "MAX_SMALL_SHARDS", 3)
    first = shards(folder)[0]

    def compute(indices):
        first.write_bytes(b"damaged")
        yield expected(indices)

    open_store(folder).rows(NETWORK, [digest(number) for number in range(4)], WIDTH, compute)
    assert len(shards(folder)) == 1
    assert collect(open_store(folder), range(4)) == [0]


def test_without_a_free_number_a_shard_is_replaced(folder, monkeypatch):
    monkeypatch.setattr(feature_shards, "MAX_SHARDS", 2)
    for number in range(3):
        collect(open_store(folder), [number])
    assert collect(open_store(folder), range(3)) == [1]


def test_an_unusable_folder_is_reported_once(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    store = FeatureStore(tmp_path / "file" / "features", 2**20)
    assert collect(store, range(9)) == collect(store, range(9)) == list(range(9))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("cache: features are computed but not stored: The folder of activations")


def test_a_disk_that_becomes_full_is_reported_once_and_stored_rows_are_still_read(folder, monkeypatch, capsys):
    collect(open_store(folder), range(3))
    store = open_store(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert collect(store, range(12)) == list(range(3, 12))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("cache: features are computed but not stored: Activations of 0.0 MB do not fit")
    monkeypatch.undo()
    assert collect(store, range(12)) == list(range(3, 12)), "storing does not start again"


def test_a_folder_that_disappears_does_not_end_the_run(folder, monkeypatch):
    store = open_store(folder)
    shutil.rmtree(folder)
    assert collect(store, range(9)) == list(range(9))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused_and_not_stored(folder, value):
    def compute(_):
        yield expected(range(3))
        yield np.array([[value] * WIDTH])

    with pytest.raises(InputError, match="features of 1 of 1 example are NaN or infinite.*--precision float32"):
        open_store(folder).rows(NETWORK, [digest(number) for number in range(4)], WIDTH, compute)
    assert collect(open_store(folder), range(4)) == [3]


@pytest.mark.parametrize("batches", [[np.ones((2, 1))], [np.ones((2, WIDTH))] * 2, [np.ones((1, WIDTH))], []])
def test_batches_of_other_shapes_are_refused(folder, batches):
    with pytest.raises(ValueError, match="Invalid batch of features|Only the features of"):
        open_store(folder).rows(NETWORK, [digest(0), digest(1)], WIDTH, lambda _: batches)


def test_digests_of_another_length_are_refused(folder):
    with pytest.raises(ValueError, match="Invalid value for argument `digests`"):
        open_store(folder).rows(NETWORK, [b"short"], WIDTH, never)


def test_the_rows_of_a_shard_are_copied_piece_by_piece(folder, monkeypatch):
    collect(open_store(folder), range(10), batch_size=10)
    dropped = []
    monkeypatch.setattr(feature_store, "drop_pages", dropped.append)
    assert collect(open_store(folder), range(10)) == []
    assert len(dropped) == 3 and all(isinstance(rows, np.memmap) for rows in dropped)


def test_features_of_another_process_are_found_before_they_are_computed(folder):
    first, second = open_store(folder), open_store(folder)
    collect(first, range(5))
    assert collect(second, range(6)) == [5]
    assert os.listdir(folder)
