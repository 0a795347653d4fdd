"""Commands of the catalogue, run once each; their outputs are kept in a folder."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

from child_seconds import child_seconds

from figure_checks.catalogue import ROOT

COPIED, LINKED = ("benchmarks", "notebooks"), ("data", "tests")
"""Folders of the repository that commands write to, and those that they only read."""


def prepare_folder(folder):
    """Makes a folder in which the commands run as in the repository, without changing that."""
    (folder / "outputs").mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    for name in LINKED:
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)


def run_command(command, folder):
    """Runs a command, or reads its output if it has finished in this folder before.

    Args:
        command: `Command`.
        folder: `pathlib.Path` of a folder that `prepare_folder` made.

    Returns:
        What it printed and wrote, with its CPU and elapsed seconds at the end.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    digest = hashlib.sha256(command.run.encode()).hexdigest()[:8]
    kept = folder / "outputs" / f"{command.name}-{digest}.txt"
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    started, before = time.monotonic(), child_seconds()
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    printed = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.run],
        cwd=folder,
        # Features of earlier runs would make the times too low.
        env=os.environ | {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout
    cpu = child_seconds() - before
    parts = [printed, *((folder / name).read_text(encoding="utf-8") for name in command.files)]
    elapsed = time.monotonic() - started
    parts.append(f"CPU seconds: {cpu:.0f}\nelapsed seconds: {elapsed:.0f}\nelapsed minutes: {elapsed / 60:.1f}\n")
    unfinished = kept.with_suffix(".unfinished")
    unfinished.write_text("\n".join(parts), encoding="utf-8")
    unfinished.replace(kept)
    return kept.read_text(encoding="utf-8")


def describe_machine():
    """Describes the processor, such as "AMD EPYC, 2 cores"."""
    path = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", path.read_text() if path.exists() else "", re.MULTILINE)
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"
