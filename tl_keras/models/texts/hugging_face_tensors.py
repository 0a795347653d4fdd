"""Gives the tensors of a Hugging Face checkpoint the names and the form that KerasHub 0.32 converts.

It asks for the pooler of every BERT and ALBERT, for names that only a checkpoint with a head has in three families
("distilbert.embeddings..."), and leaves out the embedding that all tokens of a RoBERTa share.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from tl_keras.models.texts.hugging_face import read_json

PREFIXES = {"distilbert": "distilbert.", "roberta": "roberta.", "albert": "albert."}
POOLERS = {"bert": "pooler.dense", "albert": "albert.pooler"}
POSITIONS, TOKEN_TYPES = (f"roberta.embeddings.{kind}_embeddings.weight" for kind in ("position", "token_type"))
WEIGHTS, INDEX, ADDED = "model.safetensors", "model.safetensors.index.json", "added.safetensors"


@contextlib.contextmanager
def with_expected_tensors(folder, config):
    """Gives a folder that KerasHub converts.

    Args:
        folder: `pathlib.Path` of the checkpoint.
        config: its configuration.

    Yields:
        Tuple of the path, valid while the context is open, and whether the checkpoint has a pooler of its own. The path
        is that of the checkpoint, or where it lacks what is asked for, of a folder of links with that beside them.
    """
    checkpoint = _Checkpoint(folder, _tensor_files(folder))
    pooler = POOLERS.get(config["model_type"])
    if not checkpoint.files:
        # KerasHub says what is missing.
        yield folder, pooler is not None
        return
    _add_prefix(checkpoint, PREFIXES.get(config["model_type"]))
    has_pooler = pooler is not None and any(name.endswith(f"{pooler}.weight") for name in checkpoint.names)
    if pooler and not has_pooler:
        size = config["hidden_size"]
        zeros = {"weight": np.zeros((size, size), "float32"), "bias": np.zeros(size, "float32")}
        checkpoint.added |= {f"{pooler}.{kind}": values for kind, values in zeros.items()}
    _add_token_type_to_positions(checkpoint)
    if not checkpoint.added:
        yield folder, has_pooler
        return
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint.link_into(Path(temporary))
        yield Path(temporary), has_pooler


class _Checkpoint:
    """Tensors in files, and those that are added to them or take their place."""

    def __init__(self, folder, files):
        self.folder = folder
        self.files = files
        self.added = {}

    @property
    def names(self):
        return [*self.files, *self.added]

    def read(self, name):
        if name in self.added:
            return self.added[name]
        with safetensors.safe_open(self.folder / self.files[name], framework="np") as file:
            return file.get_tensor(name)

    def link_into(self, folder):
        for file in self.folder.iterdir():
            if file.name != INDEX:
                os.symlink(file.resolve(), folder / file.name)
        safetensors.numpy.save_file(self.added, folder / ADDED)
        index = {"weight_map": {**self.files, **dict.fromkeys(self.added, ADDED)}}
        (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _add_prefix(checkpoint, prefix):
    if prefix and not any(prefix in name for name in checkpoint.files):
        checkpoint.added |= {f"{prefix}{name}": checkpoint.read(name) for name in checkpoint.files}


def _add_token_type_to_positions(checkpoint):
    """Every token of a RoBERTa is of type 0: its embedding is zero before fine-tuning, and may be anything after."""
    if TOKEN_TYPES in checkpoint.names and (shared := checkpoint.read(TOKEN_TYPES)[0]).any():
        checkpoint.added[POSITIONS] = checkpoint.read(POSITIONS) + shared


def _tensor_files(folder):
    """Maps each tensor to its file."""
    index = read_json(folder / INDEX)
    if index:
        return index["weight_map"]
    if not (folder / WEIGHTS).is_file():
        return {}
    with safetensors.safe_open(folder / WEIGHTS, framework="np") as file:
        return dict.fromkeys(file.keys(), WEIGHTS)
