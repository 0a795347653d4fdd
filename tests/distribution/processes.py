"""Starts trainings in processes of their own: two models on several devices clash in one process."""

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


def flags(pictures, folder, **more):
    """The flags of 7 epochs with 3 steps each, 21 steps, the last of an epoch smaller than the others."""
    given = {
        "data.path": pictures,
        "data.image_size": 32,
        "data.augmentation": "none",
        "data.batch_size": 5,
        "model.weights": "none",
        "model.dropout": 0.0,
        "phases": PHASES,
        "scale_learning_rate": "false",
        "run": folder,
    }
    return [str(part) for name, value in (given | more).items() for part in (f"--{name}", value)]


def start(arguments, devices=1, tf_config=None, script=SCRIPT):
    """Starts a training and returns its `subprocess.Popen`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"TF_CONFIG": json.dumps(tf_config)} if tf_config else {})
    command = [sys.executable, str(script), str(devices), *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process):
    """Waits for a training and returns what it printed; it must have succeeded."""
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    return printed


def start_workers(arguments, count=2, more=None, script=SCRIPT):
    """Starts a training on so many workers on this machine; a list of `subprocess.Popen`, the chief first.

    `more` maps a worker's index to flags for it alone.
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
    """Finds ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def wait_for(pattern, folder):
    """Waits until a folder holds a file of such a name."""
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline, f"{pattern} never came into {folder}"
        time.sleep(0.02)


def read_weights(folder, tmp_path):
    """Reads the weights that a run saved, a dict of float32 arrays."""
    import zipfile

    with zipfile.ZipFile(folder / "model.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    found = {}
    with h5py.File(tmp_path / "model.weights.h5") as file:
        file.visititems(lambda name, part: found.update({name: part[()]}) if isinstance(part, h5py.Dataset) else None)
    return {name: value for name, value in found.items() if "seed" not in name}


def assert_alike(one, other, tmp_path):
    """Compares the weights and the history of two runs."""
    weights, others = read_weights(one, tmp_path), read_weights(other, tmp_path)
    assert weights.keys() == others.keys() and weights
    for name, value in weights.items():
        np.testing.assert_allclose(others[name], value, atol=1e-5, err_msg=name)
    history, history_of_other = (json.loads((folder / "history.json").read_text()) for folder in (one, other))
    for name, values in history.items():
        np.testing.assert_allclose(history_of_other[name], values, atol=1e-5, err_msg=name)
