"""Runs `python -m tl_keras.train` with a tiny backbone; it can kill itself at a named point of saving.

`python -m tests.reliability.tiny_command POINT NUMBER FLAGS ...` kills itself with SIGKILL when it reaches the POINT,
`RESULT` or one of `SAVE_POINTS`, for the NUMBER-th time, or never with `none`. The last checkpoint, which a run removes
at its end, is preserved in the folder `kept`.
"""

import itertools
import os
import runpy
import shutil
import signal
import sys
from pathlib import Path

import numpy as np

SAVE_POINTS = ("half_written", "before_rename", "after_rename", "before_removal", "after_removal")
RESULT = "before_result"
"""Point before a file of the run that is no checkpoint takes its place, such as a plot, the report or the model."""


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
    if point == RESULT:
        kill_before_rename(int(number), lambda path: "checkpoints" not in Path(path).parts)
    elif point != "none":
        kill_at(point, int(number))
    sys.argv = ["train", *flags]
    runpy.run_module("tl_keras.train", run_name="__main__")


def kill_before_rename(number, counts=lambda path: True):
    """Patches `os.replace` to send SIGKILL before a file takes its place.

    Args:
        number: number of that file, from 1.
        counts: function of the path of a file; files where it returns False are not counted.
    """
    replace, numbers = os.replace, itertools.count(1)

    def replace_or_kill(source, target):
        if counts(target) and next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)

    os.replace = replace_or_kill


def kill_at(point, number):
    """Patches the functions that write a checkpoint so that they send SIGKILL."""
    counter = iter(range(number - 1, -1, -1))

    def kill_if_due(path):
        if "checkpoints" in Path(path).parts and not next(counter, 0):
            os.kill(os.getpid(), signal.SIGKILL)

    savez, replace, unlink = np.savez, os.replace, Path.unlink

    def half_savez(file, **arrays):
        savez(file, **dict(list(arrays.items())[: len(arrays) // 2]))
        file.flush()
        kill_if_due(file.name)
        file.seek(0)
        savez(file, **arrays)

    def around_replace(source, target):
        if point == "before_rename":
            kill_if_due(target)
        replace(source, target)
        if point == "after_rename":
            kill_if_due(target)

    def around_unlink(path, missing_ok=False):
        # After a successful write its temporary file no longer exists.
        exists = path.exists()
        if exists and point == "before_removal":
            kill_if_due(path)
        unlink(path, missing_ok)
        if exists and point == "after_removal":
            kill_if_due(path)

    if point == "half_written":
        np.savez = half_savez
    elif point.endswith("rename"):
        os.replace = around_replace
    else:
        Path.unlink = around_unlink


def keep_last_checkpoint():
    """Makes a finished run rename its checkpoints, which are compared, instead of removing them."""
    rmtree = shutil.rmtree

    def keep(path, *options, **named):
        if Path(path).name != "checkpoints":
            rmtree(path, *options, **named)
        elif Path(path).exists():
            os.rename(path, Path(path).with_name("kept"))

    shutil.rmtree = keep


if __name__ == "__main__":
    main(sys.argv[1:])
