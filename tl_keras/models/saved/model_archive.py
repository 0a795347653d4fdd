"""Checks of a `.keras` file before Keras opens it: its members, its configuration and its arrays."""

import json
import os
import stat
import zipfile
from pathlib import Path

from tl_keras.errors import InputError, quoted
from tl_keras.models.weights.files import CLASS_NAMES_MEMBER, WEIGHTS_MEMBER, readable
from tl_keras.models.weights.hdf5_check import open_hdf5
from tl_keras.models.weights.zip_members import MAX_COMPRESSION_RATIO, check_growth, member_bytes
from tl_keras.system.budget import Budget
from tl_keras.system.stored.files import refuse_sparse

CONFIG_MEMBER = "config.json"
MEMBERS = (CONFIG_MEMBER, "metadata.json", WEIGHTS_MEMBER, CLASS_NAMES_MEMBER)
ASSETS = "assets/layers/"
ASSET_SUFFIXES = (".json", ".spm", ".txt")
MAX_MEMBERS = 100
MAX_CONFIG_BYTES = 16_000_000


def read_archive(path, budget=None):
    """Reads the configuration of a model file and counts the bytes of its arrays, without building anything.

    Args:
        path: the `.keras` file.
        budget: `Budget` for all that is read; None takes a new one.

    Returns:
        Tuple of the configuration, nested dicts and lists, and the number of bytes of the arrays in the file.

    Raises:
        InputError: the file is not a `.keras` file, is damaged, refers to other files, or would fill the memory.
    """
    if Path(path).suffix != ".keras":
        raise InputError(f"Only .keras files are opened as models, got {str(path)!r}: other formats may run code.")
    budget = budget or Budget()
    with readable(path), zipfile.ZipFile(path) as archive:
        refuse_sparse(path)
        _check_members(archive, budget)
        if archive.getinfo(CONFIG_MEMBER).file_size > MAX_CONFIG_BYTES:
            raise ValueError(f"its {CONFIG_MEMBER} has more than {MAX_CONFIG_BYTES} bytes")
        config = json.loads(member_bytes(archive, CONFIG_MEMBER, budget))
        if not isinstance(config, dict):
            raise ValueError(f"its {CONFIG_MEMBER} does not describe a model")
        with open_hdf5(member_bytes(archive, WEIGHTS_MEMBER, budget), budget) as (_, stored_bytes):
            return config, stored_bytes


def _check_members(archive, budget):
    names = archive.namelist()
    if len(names) > MAX_MEMBERS or len(set(names)) != len(names):
        raise ValueError("it has too many members, or two members of the same name")
    # Many members may share the same compressed bytes.
    total = sum(info.file_size for info in archive.infolist())
    if total > MAX_COMPRESSION_RATIO * os.fstat(archive.fp.fileno()).st_size:
        raise ValueError("its members have a suspicious compression ratio together")
    for info in archive.infolist():
        name = info.filename
        parts = name.removeprefix(ASSETS).split("/") if name.startswith(ASSETS) else []
        is_asset = len(parts) == 2 and parts[0] not in ("", ".", "..") and name.endswith(ASSET_SUFFIXES)
        if name not in MEMBERS and not (is_asset and "\\" not in name and "\0" not in name):
            raise ValueError(f"it has an unexpected member {quoted(name)}")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ValueError(f"its member {quoted(name)} is a link")
        if name == WEIGHTS_MEMBER:
            check_growth(info)
        else:
            member_bytes(archive, name, budget)
