"""Kills training runs with SIGKILL and compares their results bit by bit with an uninterrupted run.

`python -m tests.reliability.killing --kills 500` kills the real command 500 times on images and on texts, at random
instants and while saving; each run is resumed with the same command until it is finished. With `--fork` each run starts
with TensorFlow loaded, so that no kill is wasted on the seconds of its start.
"""

import argparse
import io
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from tests.reliability import tiny_command

ROOT = Path(__file__).parents[2]
MAX_KILLS_OF_A_RUN = 6
MAX_PASSES = 6
SHARE_AT_SAVE_POINTS = 0.4
PATIENCE = 300
WORDS = ["good", "bad", "film", "the", "a", "very", "not"]
BERT = """
import sys, keras_hub
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sys.argv[2:]]
sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 32}
keras_hub.models.BertBackbone(vocabulary_size=len(words), **sizes).save_to_preset(sys.argv[1])
keras_hub.models.BertTokenizer(vocabulary=words, lowercase=True).save_to_preset(sys.argv[1])
"""


def image_flags(folder):
    """Creates 36 images of three classes; returns the flags of 6 epochs in 3 phases with all stateful settings.

    Args:
        folder: `pathlib.Path` of an existing folder.
    """
    generator = np.random.default_rng(0)
    for number in range(36):
        path = folder / "images" / "abc"[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (32, 32, 3), "uint8")).save(path)
    return {
        "data.path": folder / "images",
        "data.image_size": 32,
        "data.batch_size": 4,
        "data.augmentation": "light",
        "cache.mode": "on",
        "cache.views": 2,
        "model.dropout": 0.3,
        "batch_norm": "train",
        "optimizer.accumulation_steps": 2,
        "optimizer.ema_momentum": 0.9,
        "phases": "[{train: head, epochs: 2}, {train: top, epochs: 2, block_decay: 0.5}, {train: stem, epochs: 2}]",
    }


def text_flags(folder):
    """Creates 46 reviews and a BERT of two layers; returns the flags of 6 epochs in 3 phases."""
    generator = np.random.default_rng(0)
    lines = ["text,label"]
    for number in range(46):
        words = generator.choice(WORDS, generator.integers(2, 20))
        lines.append(f"{' '.join(words)} {number},{'yes' if number % 2 else 'no'}")
    (folder / "reviews.csv").write_text("\n".join(lines))
    subprocess.run([sys.executable, "-c", BERT, str(folder / "bert"), *WORDS], check=True, capture_output=True)
    return {
        "task": "text_classification",
        "data.path": folder / "reviews.csv",
        "data.batch_size": 4,
        "text.max_tokens": 32,
        "model.backbone": folder / "bert",
        "model.dropout": 0.3,
        "cache.mode": "on",
        "phases": "[{train: head, epochs: 2}, {train: layer1, epochs: 2, restore_best: true}, {train: all, epochs: 2}]",
    }


FLAGS = {"images": image_flags, "texts": text_flags}


class Command:
    """Runs the command in a separate process.

    Args:
        flags: dict of flags.
        run: path of the run folder; the output is stored beside it.
        point: tuple of one of `SAVE_POINTS` and the pass at which the command kills itself; None: never.
        context: multiprocessing context with TensorFlow loaded that forks the process; None: a new Python.
    """

    def __init__(self, flags, run, point=None, context=None):
        self.log = Path(f"{run}.log")
        self.log.touch()
        settings = [part for name, value in {**flags, "run": run}.items() for part in (f"--{name}", str(value))]
        arguments = [*map(str, point or ("none", 0)), *settings]
        if context is None:
            command = [sys.executable, "-m", "tests.reliability.tiny_command", *arguments]
            with open(self.log, "ab") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        else:
            self._process = context.Process(target=run_here, args=(arguments, self.log))
            self._process.start()

    def wait(self, seconds):
        """Waits at most `seconds`; returns the exit code, negative for a signal, or None."""
        if isinstance(self._process, subprocess.Popen):
            try:
                return self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
        self._process.join(seconds)
        return self._process.exitcode

    def send(self, number):
        """Sends a signal."""
        os.kill(self._process.pid, number)


def run_here(arguments, log):
    """Runs the command in a forked process."""
    with open(log, "ab", buffering=0) as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    tiny_command.main(arguments)


def forking_context():
    """Creates a multiprocessing context whose processes start with TensorFlow loaded, and waits for it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            *("tensorflow", "keras", "sklearn.metrics", "jsonargparse", "jinja2", "PIL.Image", "matplotlib.pyplot"),
            *("tl_keras.training.fitting", "tl_keras.training.results", "tests.reliability.tiny_command"),
        ]
    )
    first = context.Process(target=int)
    first.start()
    first.join()
    return context


def finish(flags, run, context=None):
    """Runs the command to its end; returns its duration in seconds."""
    started, command = time.monotonic(), Command(flags, run, context=context)
    code = command.wait(PATIENCE)
    if code != 0:
        raise AssertionError(f"exit code {code}: {command.log.read_text()[-3000:]}")
    return time.monotonic() - started


def kill_often(flags, folder, kills, seconds, expected, generator, context=None):
    """Kills runs until the number of kills is reached, and checks the outcome of each run.

    Args:
        flags: dict of flags.
        folder: `pathlib.Path` of the folder for the runs.
        kills: number of kills.
        seconds: duration of an uninterrupted run.
        expected: `outcome` of an uninterrupted run.
        generator: `random.Random`.
        context: see `Command`.

    Returns:
        Tuple of the number of runs and a dict from "instant" and each save point to the number of kills.
    """
    runs, done = 0, {"instant": 0, **dict.fromkeys(tiny_command.SAVE_POINTS, 0)}
    while sum(done.values()) < kills:
        runs, run = runs + 1, folder / f"run-{runs}"
        before = sum(done.values())
        while sum(done.values()) < min(kills, before + MAX_KILLS_OF_A_RUN):
            point = None
            if generator.random() < SHARE_AT_SAVE_POINTS:
                point = generator.choice(tiny_command.SAVE_POINTS), generator.randint(1, MAX_PASSES)
            command = Command(flags, run, point, context)
            code = command.wait(PATIENCE if point else generator.uniform(0, seconds))
            if code is None:
                command.send(signal.SIGKILL)
                code = command.wait(PATIENCE)
            if code == 0:
                break
            if code != -signal.SIGKILL:
                raise AssertionError(f"exit code {code}: {command.log.read_text()[-3000:]}")
            done[point[0] if point else "instant"] += 1
        finish(flags, run, context)
        if outcome(run) != expected:
            raise AssertionError(f"{run} ended differently: {difference(outcome(run), expected)}")
    return runs, done


def outcome(run):
    """Reads the results of a run, a dict from name to bytes.

    It contains the weights of the model, every array of the last checkpoint (including optimizer and seed generators),
    the test metrics and the history.
    """
    contents = {name: (run / name).read_bytes() for name in ("metrics.json", "history.json")}
    with zipfile.ZipFile(run / "model.keras") as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights, "r") as file:
        file.visititems(
            lambda name, item: contents.__setitem__(name, item[()].tobytes()) if hasattr(item, "shape") else None
        )
    with np.load(sorted((run / "kept").glob("*.npz"))[-1]) as checkpoint:
        contents |= {name: checkpoint[name].tobytes() for name in checkpoint.files if name != "state"}
    return contents


def difference(one, other):
    """Lists the names whose bytes differ."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def main():
    """Runs the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fork", action="store_true", help="start each run with TensorFlow loaded")
    options = parser.parse_args()
    generator, context = random.Random(options.seed), forking_context() if options.fork else None
    for number, (task, make_flags) in enumerate(FLAGS.items()):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            flags = {**make_flags(folder), "checkpoint_every": "2 steps"}
            seconds = finish(flags, folder / "uninterrupted", context)
            kills = (options.kills + number) // len(FLAGS)
            expected = outcome(folder / "uninterrupted")
            runs, done = kill_often(flags, folder, kills, seconds, expected, generator, context)
        print(f"{task}: {sum(done.values())} kills over {runs} runs {done}, all ended bit-identical", flush=True)


if __name__ == "__main__":
    main()
