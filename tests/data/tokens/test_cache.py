import os
from dataclasses import replace

import numpy as np
import pytest

from tl_keras.data.tokens import cache as token_cache
from tl_keras.data.tokens.cache import read_tokens, token_key, write_tokens
from tl_keras.data.tokens.format import TokenFormat
from tl_keras.errors import InputError

FORMAT = TokenFormat(end_ids=(2,))
ARRAYS = (np.arange(1000, dtype=np.int32), np.array([0, 1000]), np.zeros(1000, np.int8), np.array([1, 2]))


def test_written_arrays_are_read(tmp_path):
    path = tmp_path / "deep" / "x.npz"
    write_tokens(path, ARRAYS)
    for expected, array in zip(ARRAYS, read_tokens(path), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert [file.name for file in path.parent.iterdir()] == ["x.npz"]


def damage(content, kind):
    if kind == "bit":
        return content[:3000] + bytes([content[3000] ^ 1]) + content[3001:]
    return {"torn": content[:2000], "empty": b"", "other": b"hello" * 1000}[kind]


@pytest.mark.parametrize("kind", ["bit", "torn", "empty", "other"])
def test_damaged_files_are_not_read(tmp_path, kind):
    path = tmp_path / "x.npz"
    write_tokens(path, ARRAYS)
    path.write_bytes(damage(path.read_bytes(), kind))
    assert read_tokens(path) is None


def test_a_missing_file_is_not_read(tmp_path):
    assert read_tokens(tmp_path / "x.npz") is None


def test_keys_differ_where_texts_or_settings_differ():
    cases = [
        (["ab", "c"], "t", FORMAT),
        (["a", "bc"], "t", FORMAT),
        (["abc"], "t", FORMAT),
        ([("ab", "c")], "t", FORMAT),
        (["ab", "c"], "u", FORMAT),
        (["ab", "c"], "t", replace(FORMAT, max_tokens=7)),
        (["ab", "c"], "t", replace(FORMAT, truncation="tail")),
        (["ab", "c"], "t", replace(FORMAT, end_ids=(3,))),
    ]
    assert len({token_key(*case) for case in cases}) == len(cases)
    assert token_key(*cases[0]) == token_key(list(cases[0][0]), "t", replace(FORMAT))


def test_the_least_recently_read_files_are_evicted(tmp_path, monkeypatch):
    paths = [tmp_path / f"{name}.npz" for name in "abcd"]
    for number, path in enumerate(paths[:3]):
        write_tokens(path, ARRAYS)
        os.utime(path, (1000 + number, 1000 + number))
    (tmp_path / "notes.txt").write_text("stays")
    read_tokens(paths[0])
    monkeypatch.setattr(token_cache, "MAX_BYTES", 2 * paths[0].stat().st_size)
    write_tokens(paths[3], ARRAYS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.npz", "d.npz", "notes.txt"]
    monkeypatch.setattr(token_cache, "MAX_BYTES", 1)
    write_tokens(paths[1], ARRAYS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["b.npz", "notes.txt"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot keep tokens in .*file.*XDG_CACHE_HOME"):
        write_tokens(tmp_path / "file" / "x.npz", ARRAYS)
