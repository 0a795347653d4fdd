import tracemalloc
import zipfile

import pytest

from tl_keras.models.weights.zip_members import member_bytes


def pack(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", content)


def test_a_member_is_read(tmp_path):
    pack(tmp_path / "file.zip", b"text")
    with zipfile.ZipFile(tmp_path / "file.zip") as archive:
        assert member_bytes(archive, "a") == b"text"
        with pytest.raises(KeyError):
            member_bytes(archive, "b")


def test_a_suspicious_compression_ratio_is_refused(tmp_path):
    pack(tmp_path / "file.zip", bytes(10**6))
    with zipfile.ZipFile(tmp_path / "file.zip") as archive, pytest.raises(ValueError, match="suspicious compression"):
        member_bytes(archive, "a")


def test_a_member_that_is_larger_than_it_says_is_not_decompressed(tmp_path):
    path = tmp_path / "file.zip"
    pack(path, bytes(200_000_000))
    content = path.read_bytes()
    path.write_bytes(content.replace((200_000_000).to_bytes(4, "little"), (1_000_000).to_bytes(4, "little")))
    tracemalloc.start()
    with zipfile.ZipFile(path) as archive, pytest.raises(zipfile.BadZipFile, match="Bad CRC"):
        member_bytes(archive, "a")
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
