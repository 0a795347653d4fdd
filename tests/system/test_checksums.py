import functools
import os
import shutil
import subprocess

import pytest

from tl_keras.errors import InputError
from tl_keras.system import checksums
from tl_keras.system.budget import Budget
from tl_keras.system.checksums import MANIFEST, changed_files, check_sha256, file_sha256, write_manifest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    (folder / "deep").mkdir(parents=True)
    (folder / "model.keras").write_bytes(bytes(range(64)))
    (folder / "deep" / "größe.json").write_text("{}")
    (folder / ".lock").touch()
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "old").touch()
    write_manifest(folder, exclude=["checkpoints"])
    return folder


def test_an_unchanged_folder_has_no_changed_files_even_with_new_ones(folder):
    (folder / "evaluations").mkdir()
    (folder / "evaluations" / "new").touch()
    shutil.rmtree(folder / "checkpoints")
    assert changed_files(folder) == []


def test_every_flipped_byte_of_every_file_is_found(folder):
    for path in [folder / "model.keras", folder / "deep" / "größe.json", folder / MANIFEST]:
        data = path.read_bytes()
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            try:
                assert changed_files(folder), f"{path.name}, byte {place}"
            except InputError:
                assert path.name == MANIFEST
        path.write_bytes(data)


def test_a_missing_file_and_a_link_count_as_changed(folder, tmp_path):
    (folder / "model.keras").rename(tmp_path / "elsewhere")
    assert changed_files(folder) == ["model.keras"]
    (folder / "model.keras").symlink_to(tmp_path / "elsewhere")
    assert changed_files(folder) == ["model.keras"]


def test_files_in_a_linked_folder_count_as_changed(folder, tmp_path):
    (folder / "deep").rename(tmp_path / "deep")
    (folder / "deep").symlink_to(tmp_path / "deep")
    assert changed_files(folder) == ["deep/größe.json"]


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "deep/../../secret"])
def test_a_manifest_that_names_files_outside_the_folder_is_refused(folder, name):
    with open(folder / MANIFEST, "a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(InputError, match="is damaged"):
        changed_files(folder)


def test_a_file_that_is_named_again_and_again_is_refused_unread(folder, monkeypatch):
    with open(folder / MANIFEST, "a") as file:
        file.write(f"{'0' * 64}  model.keras\n" * 100_000)
    monkeypatch.setattr(checksums, "file_sha256", None)
    with pytest.raises(InputError, match="the name of a file, each once"):
        changed_files(folder)


def test_the_size_of_all_files_is_limited(folder, monkeypatch):
    for limit in (66, 65):
        monkeypatch.setattr(checksums, "Budget", functools.partial(Budget, max_bytes=limit))
        if limit == 66:
            assert changed_files(folder) == []
    with pytest.raises(InputError, match=r"it has more than 65 bytes\): give the folder of a run"):
        changed_files(folder)


def test_a_file_of_holes_counts_as_changed_unread(folder, monkeypatch):
    os.truncate(folder / "model.keras", 2**40)
    monkeypatch.setattr(checksums, "file_sha256", {folder / "deep" / "größe.json": ""}.get)
    assert changed_files(folder) == ["deep/größe.json", "model.keras"]


def test_names_that_no_file_can_have_count_as_missing(folder):
    with open(folder / MANIFEST, "a") as file:
        file.writelines(f"{'0' * 64}  {name}\n" for name in ("x" * 300, "a\0b", "x/" * 3000))
    assert len(changed_files(folder)) == 3


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum")
def test_sha256sum_reads_the_manifest(folder):
    command = ["sha256sum", "--check", "--quiet", MANIFEST]
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 0
    (folder / "model.keras").write_bytes(b"")
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 1
    assert os.path.exists(folder / MANIFEST)


def test_essential_files_must_be_listed_if_they_exist(folder):
    (folder / "new.json").touch()
    assert changed_files(folder, essential=["model.keras", "absent.json"]) == []
    assert changed_files(folder, essential=["new.json"]) == ["new.json"]


def test_the_digest_of_a_file_is_checked(tmp_path):
    path = tmp_path / "weights.h5"
    with pytest.raises(InputError, match="is missing: copy it again"):
        check_sha256(path, "00", "copy it again")
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(path) == digest
    check_sha256(path, digest.upper(), "copy it again")
    with pytest.raises(InputError, match=f"has SHA-256 {digest}, expected 00: copy it again"):
        check_sha256(path, "00", "copy it again")
