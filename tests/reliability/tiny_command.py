"""`python -m tl_keras.train` with a tiny backbone, that may kill itself at a named point of saving.

`python -m tests.reliability.tiny_command POINT NUMBER FLAGS ...` kills itself with SIGKILL at the NUMBER-th time that
it comes to the POINT, one of `SAVE_POINTS`, or never at `none`. What the run removes at its end, its last checkpoint,
stays as the folder `kept`.
"""

import os
import runpy
import shutil
import signal
import sys
from pathlib import Path

import numpy as np

SAVE_POINTS = ("half_written", "before_rename", "after_rename", "before_removal", "after_removal")


def main(arguments):
    """Runs the command.

    Args:
        arguments: list of strings, see above.
    """
    from tests.models.small_backbone import small_backbone
    from tl_keras.models.images import classifiers

    classifiers.build_backbone = small_backbone
    point, number, *flags = arguments
    keep_last_checkpoint()
    if point != "none":
        kill_at(point, int(number))
    sys.argv = ["train", *flags]
    runpy.run_module("tl_keras.train", run_name="__main__")


def kill_at(point, number):
    """Puts a SIGKILL around what a checkpoint is written by."""
    counter = iter(range(number - 1, -1, -1))

    def passing(path):
        if "checkpoints" in Path(path).parts and not next(counter, 0):
            os.kill(os.getpid(), signal.SIGKILL)

    savez, replace, unlink = np.savez, os.replace, Path.unlink

    def half_savez(file, **arrays):
        savez(file, **dict(list(arrays.items())[: len(arrays) // 2]))
        file.flush()
        passing(file.name)
        file.seek(0)
        savez(file, **arrays)

    def around_replace(source, target):
        if point == "before_rename":
            passing(target)
        replace(source, target)
        if point == "after_rename":
            passing(target)

    def around_unlink(path, missing_ok=False):
        # The temporary file of a write that went well is gone already.
        there = path.exists()
        if there and point == "before_removal":
            passing(path)
        unlink(path, missing_ok)
        if there and point == "after_removal":
            passing(path)

    if point == "half_written":
        np.savez = half_savez
    elif point.endswith("rename"):
        os.replace = around_replace
    else:
        Path.unlink = around_unlink


def keep_last_checkpoint():
    """Renames the checkpoints of a finished run, which are compared, in place of removing them."""
    rmtree = shutil.rmtree

    def keep(path, *options, **named):
        if Path(path).name != "checkpoints":
            rmtree(path, *options, **named)
        elif Path(path).exists():
            os.rename(path, Path(path).with_name("kept"))

    shutil.rmtree = keep


if __name__ == "__main__":
    main(sys.argv[1:])
