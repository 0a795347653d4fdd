import os
import shutil
import subprocess

import pytest

from tl_keras.errors import InputError
from tl_keras.system.checksums import SUMS, find_changed, write_checksums


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    (folder / "deep").mkdir(parents=True)
    (folder / "model.keras").write_bytes(bytes(range(64)))
    (folder / "deep" / "größe.json").write_text("{}")
    (folder / ".lock").touch()
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "old").touch()
    write_checksums(folder, left_out=["checkpoints"])
    return folder


def test_an_unchanged_folder_has_nothing_to_tell_and_new_files_do_not_matter(folder):
    (folder / "evaluations").mkdir()
    (folder / "evaluations" / "new").touch()
    shutil.rmtree(folder / "checkpoints")
    assert find_changed(folder) == []


def test_every_flipped_byte_of_every_file_is_found(folder):
    for path in [folder / "model.keras", folder / "deep" / "größe.json", folder / SUMS]:
        data = path.read_bytes()
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            try:
                assert find_changed(folder), f"{path.name}, byte {place}"
            except InputError:
                assert path.name == SUMS
        path.write_bytes(data)


def test_a_missing_file_is_found_and_so_is_one_that_is_a_link(folder, tmp_path):
    (folder / "model.keras").rename(tmp_path / "elsewhere")
    assert find_changed(folder) == ["model.keras"]
    (folder / "model.keras").symlink_to(tmp_path / "elsewhere")
    assert find_changed(folder) == ["model.keras"]


def test_a_folder_that_is_a_link_is_found(folder, tmp_path):
    (folder / "deep").rename(tmp_path / "deep")
    (folder / "deep").symlink_to(tmp_path / "deep")
    assert find_changed(folder) == ["deep/größe.json"]


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "deep/../../secret"])
def test_files_of_other_folders_are_not_looked_at(folder, name):
    with open(folder / SUMS, "a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(InputError, match="is damaged"):
        find_changed(folder)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum")
def test_another_program_reads_the_list(folder):
    command = ["sha256sum", "--check", "--quiet", SUMS]
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 0
    (folder / "model.keras").write_bytes(b"")
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 1
    assert os.path.exists(folder / SUMS)


def test_vital_files_must_be_listed_where_they_are(folder):
    (folder / "new.json").touch()
    assert find_changed(folder, vital=["model.keras", "absent.json"]) == []
    assert find_changed(folder, vital=["new.json"]) == ["new.json"]
