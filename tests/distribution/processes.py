"""Starts trainings in separate processes, because two models on several devices conflict in one process."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "distribution" / "small_train.py"
PHASES = (
    "[{train: head, epochs: 2, learning_rate: 0.01}, {train: top, epochs: 3, block_decay: 0.5, learning_rate: 0.01}, "
    "{train: block7, epochs: 2}]"
)


def flags(images, folder, **more):
    """Returns the flags of 7 epochs with 3 steps each, where the last batch of an epoch is smaller."""
    defaults = {
        "data.path": images,
        "data.image_size": 32,
        "data.augmentation": "none",
        "data.batch_size": 5,
        "model.weights": "none",
        "model.dropout": 0.0,
        "phases": PHASES,
        "scale_learning_rate": "false",
        "run": folder,
    }
    return [str(part) for name, value in (defaults | more).items() for part in (f"--{name}", value)]


def start(arguments, devices=1, tf_config=None, script=SCRIPT):
    """Starts a training and returns its `subprocess.Popen`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"TF_CONFIG": json.dumps(tf_config)} if tf_config else {})
    command = [sys.executable, str(script), str(devices), *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process):
    """Waits for a training, checks that it succeeded, and returns its output."""
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    return printed


def start_workers(arguments, count=2, more=None, script=SCRIPT):
    """Starts a training with `count` workers on this machine; returns a list of `subprocess.Popen`, the chief first.

    `more` maps a worker's index to additional flags of that worker.
    """
    addresses = free_addresses(count)
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    return [
        start(
            [*arguments, *(more or {}).get(task["index"], [])],
            tf_config={"cluster": {"worker": addresses}, "task": task},
            script=script,
        )
        for task in tasks
    ]


def free_addresses(count):
    """Finds free ports on this machine, a list of HOST:PORT."""
    sockets = [socket.socket() for _ in range(count)]
    for item in sockets:
        item.bind(("localhost", 0))
    addresses = [f"localhost:{item.getsockname()[1]}" for item in sockets]
    for item in sockets:
        item.close()
    return addresses


def wait_for(pattern, folder):
    """Waits until a folder contains a file that matches a pattern."""
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline, f"{pattern} did not appear in {folder}"
        time.sleep(0.02)


def read_weights(folder, tmp_path):
    """Reads the saved weights of a run, a dict of float32 arrays."""
    import zipfile

    with zipfile.ZipFile(folder / "model.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    weights = {}
    with h5py.File(tmp_path / "model.weights.h5") as file:
        file.visititems(lambda name, part: weights.update({name: part[()]}) if isinstance(part, h5py.Dataset) else None)
    return {name: value for name, value in weights.items() if "seed" not in name}


def assert_equal_runs(one, other, tmp_path):
    """Checks that the weights and the history of two runs are equal."""
    weights, others = read_weights(one, tmp_path), read_weights(other, tmp_path)
    assert weights.keys() == others.keys() and weights
    for name, value in weights.items():
        np.testing.assert_allclose(others[name], value, atol=1e-5, err_msg=name)
    history, other_history = (json.loads((folder / "history.json").read_text()) for folder in (one, other))
    for name, values in history.items():
        np.testing.assert_allclose(other_history[name], values, atol=1e-5, err_msg=name)
