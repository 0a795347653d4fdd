"""A run folder whose log is followed, and the events of a short training."""

import json

import numpy as np
from PIL import Image

from tl_keras.runs.run_folder import RunFolder
from tl_keras.tracking.following import follow

SETTINGS = {"task": "image_classification", "data.batch_size": 8}
METRICS = {"examples": 9, "accuracy": 0.75, "intervals": {"accuracy": [0.5, 0.9]}, "verdict": ["Better."]}
PHASE = {"name": "head", "first_epoch": 0, "epochs": 2, "learning_rates": {"head": 0.01}, "trainable_parameters": 770}


def make_run(folder):
    """Makes a run folder with results."""
    folder.mkdir(exist_ok=True)
    run = RunFolder(folder)
    run.write_text("metrics.json", json.dumps(METRICS))
    Image.fromarray(np.zeros((4, 5, 3), "uint8")).save(folder / "history.png")
    return run


def track(names, run, epochs=(1, 2), stop=None):
    """Follows a run through some epochs; `stop` is an error that interrupts it."""
    with follow(names, run, SETTINGS):
        for epoch in epochs:
            run.log("epoch", {"epoch": epoch, "seconds": 0.5, "learning_rate": 0.01, "loss": 1 / epoch})
        if stop:
            raise stop
        run.log("phase", PHASE)
        run.log("warning", {"text": "The loss rose."})
