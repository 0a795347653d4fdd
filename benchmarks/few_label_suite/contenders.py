"""Contenders of the benchmark, and the commands that run them."""

import sys
from pathlib import Path

from few_label_suite.sets import IMAGES, TEXTS

BOTH = (IMAGES, TEXTS)
RECIPES = {
    "auto": BOTH,
    "progressive_unfreezing": BOTH,
    "feature_extraction": BOTH,
    "fine_tuning": BOTH,
    "linear_probe_then_fine_tune": BOTH,
    "few_shot": (TEXTS,),
}
"""Recipes of tl_keras, and the kinds of data they are for; all other settings are the defaults."""
SOLVED_HEADS = {"logistic_last": BOTH, "logistic_all": BOTH, "nearest_centroid": BOTH, "tfidf": (TEXTS,)}
"""Classifiers without training of the network."""
PEERS = {"fastai": (IMAGES,), "setfit": (TEXTS,)}
"""Other packages, which need an interpreter of their own with torch."""
CONTENDERS = RECIPES | SOLVED_HEADS | PEERS


def command_of(contender, job, job_file, torch_python):
    """Builds the command that trains a contender on a draw.

    Args:
        contender: key of `CONTENDERS`.
        job: dict of the settings, see `cells.make_job`.
        job_file: path of the same as JSON.
        torch_python: path of an interpreter with torch, for a key of `PEERS`.

    Returns:
        List of strings.
    """
    if contender in RECIPES:
        task = "image_classification" if job["kind"] == IMAGES else "text_classification"
        flags = {
            "--task": task,
            "--data.path": job["table"],
            "--recipe": contender,
            "--seed": job["draw"],
            "--run": job["run"],
        }
        weights = [] if job["weights"] else ["--model.weights", "none"]
        arguments = [str(part) for flag in flags.items() for part in flag]
        return [sys.executable, "-m", "tl_keras.train", *arguments, *weights]
    if contender in PEERS:
        return [torch_python, str(Path(__file__).with_name("peers.py")), str(job_file)]
    return [sys.executable, "-m", "few_label_suite.solved_heads", str(job_file)]
