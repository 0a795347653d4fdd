import os

import pytest

from tl_keras.system.stored import files
from tl_keras.system.stored.files import FREE_BYTES, is_excessive, is_sparse, read_bytes, read_text, refuse_sparse


def holes(path, size, head=b""):
    path.write_bytes(head)
    os.truncate(path, size)
    return path


def test_a_file_of_holes_is_refused_before_it_is_read(tmp_path):
    path = holes(tmp_path / "a", 2**40, b"text")
    assert is_sparse(path)
    for read in (read_bytes, read_text, refuse_sparse):
        with pytest.raises(OSError, match="only of holes"):
            read(path)


def test_small_files_of_holes_and_large_stored_ones_are_read(tmp_path):
    assert len(read_bytes(holes(tmp_path / "small", 10**6))) == 10**6
    stored = tmp_path / "stored"
    stored.write_bytes(b"\1" * (FREE_BYTES + 1))
    assert not is_sparse(stored)


def test_a_disk_that_does_not_count_blocks_has_no_holes(tmp_path, monkeypatch):
    path = holes(tmp_path / "a", 2**40)
    monkeypatch.setattr(files.os, "lseek", lambda descriptor, position, how: 2**40)
    assert not is_sparse(path)


@pytest.mark.parametrize(
    ("claimed", "stored", "expected"), [(2**26, 0, False), (2**30, 2**20, True), (2**30, 2**24, False)]
)
def test_a_large_claim_must_be_a_part_of_what_is_stored(claimed, stored, expected):
    assert is_excessive(claimed, stored) == expected


def test_a_text_has_its_encoding_and_line_ends_of_one_kind(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfx\r\ny\xff")
    assert read_text(tmp_path / "a", "utf-8-sig", errors="replace") == "x\ny\N{REPLACEMENT CHARACTER}"
