"""Measures what `recommend` costs beyond the forward passes of its backbones: `python benchmarks/recommend_cost.py`.

Each round runs `python -m tl_keras.recommend` in a process of its own, with one thread and without stored features. The
forward passes are those of that very process: CPU seconds of an example, as it states them, times the examples. A
machine that others use as well slows down both.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from child_seconds import child_seconds
from few_label_suite.environment import ROOT, make_environment

BACKBONES = "efficientnet_lite0,efficientnet_lite1,efficientnet_lite2"
SHARE, FIXED = 1.2, 10
"""The goal: at most `SHARE` times the forward passes and `FIXED` seconds."""


def measure(path, folder):
    """Ranks the backbones without stored features.

    Args:
        path: value of `--data.path`.
        folder: `pathlib.Path` of an empty folder.

    Returns:
        Tuple of the CPU seconds of the forward passes, and of the whole command.
    """
    before = child_seconds()
    command = [sys.executable, "-m", "tl_keras.recommend", path, "--backbones", BACKBONES, "--output", folder / "out"]
    environment = make_environment(folder / "cache")
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    found = json.loads((folder / "out" / "recommendation.json").read_text(encoding="utf-8"))
    milliseconds = sum(backbone["cpu_milliseconds"] for backbone in found["backbones"])
    return found["examples"] * milliseconds / 1000, child_seconds() - before


def main():
    """Measures all rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data/emoji", help="labelled images (default: data/emoji)")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print("| CPU seconds of | forward passes | the command | its ratio | goal | reached |\n|" + " --- |" * 6)
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            forward, whole = measure(options.data, Path(folder))
        goal = SHARE * forward + FIXED
        cells = [
            f"{forward:.1f}",
            f"{whole:.1f}",
            f"{whole / forward:.2f}",
            f"{goal:.1f}",
            ["no", "yes"][whole <= goal],
        ]
        print(f"| round {number + 1} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
