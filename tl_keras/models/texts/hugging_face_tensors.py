"""Tensors of a Hugging Face checkpoint under the names and in the form that KerasHub 0.32 converts.

KerasHub requires a pooler in every BERT and ALBERT, and in three families the names of checkpoints with a head, such as
"distilbert.embeddings...". It ignores the token type embedding of RoBERTa.
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
    """Provides a checkpoint folder that KerasHub can convert.

    Args:
        folder: `pathlib.Path` of the checkpoint.
        config: its configuration.

    Yields:
        Tuple of a path, valid while the context is open, and a bool, True if the checkpoint has a pooler. The path is
        that of the checkpoint, or, if tensors are missing, of a folder with links to its files and the added tensors.
    """
    checkpoint = _Checkpoint(folder, _tensor_files(folder))
    pooler = POOLERS.get(config["model_type"])
    if not checkpoint.files:
        # KerasHub reports the missing files.
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
    """Holds the tensors of a checkpoint, and tensors that are added or replace them."""

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
    """Adds the embedding of token type 0, which all tokens of a RoBERTa share, to the positions.

    It is zero in pretrained checkpoints, but not necessarily in fine-tuned ones.
    """
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
