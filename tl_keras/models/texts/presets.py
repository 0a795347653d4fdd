"""Text encoders of KerasHub, from a named preset, a preset folder or a local Hugging Face checkpoint."""

import contextlib
import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import InputError, first_line, unknown_name
from tl_keras.models.images.backbones import HUB_PREFIX
from tl_keras.models.saved.preset_files import check_preset, hub_errors
from tl_keras.models.texts.backbones import MINILM, PRESETS_BY_CLASS, SENTENCE_PRESETS, TEXT_BACKBONES, TEXT_PRESETS
from tl_keras.models.texts.hugging_face import (
    BACKBONE_CLASSES,
    read_checkpoint_config,
    read_json,
    sentence_pooling,
    trained_settings,
)
from tl_keras.models.texts.hugging_face_tensors import with_expected_tensors
from tl_keras.models.texts.minilm import fetch_minilm

POOLINGS_BY_CLASS = {
    # Only these two have a pretrained pooler, trained on pairs of sentences.
    "BertBackbone": "first",
    "AlbertBackbone": "first",
    "DistilBertBackbone": "average",
    "RobertaBackbone": "average",
    "XLMRobertaBackbone": "average",
    "DebertaV3Backbone": "average",
}


OFFLINE = (
    "presets need the network; without it, give the local folder of a KerasHub preset or Hugging Face checkpoint as "
    f"--model.backbone PATH, or take --model.backbone {MINILM}, whose weights come with pip"
)


@dataclass(frozen=True)
class TextSource:
    """Describes the origin of an encoder."""

    preset: str
    """A name of `TEXT_PRESETS`, or the path of a folder."""
    class_name: str
    """Name of the encoder's class in `keras_hub.models`."""
    config: dict | None = None
    """The configuration of a Hugging Face checkpoint; None for KerasHub's own format."""

    @property
    def folder(self):
        """`pathlib.Path` of a local source, or None for a preset of the hub."""
        return None if self.preset in TEXT_PRESETS else Path(self.preset)

    @property
    def short_name(self):
        """Last part of the preset's name or path."""
        return Path(self.preset).name

    def errors(self):
        """Converts errors of KerasHub about the encoder to `InputError`, as a context manager."""
        return hub_errors(f"text encoder {self.preset!r}", OFFLINE, _reason)


def find_text_source(backbone):
    """Resolves the name of an encoder without importing TensorFlow or KerasHub.

    Args:
        backbone: a name of `TEXT_BACKBONES`, or the folder of a KerasHub preset or of a Hugging Face checkpoint.

    Returns:
        `TextSource`.

    Raises:
        InputError: the name is unknown, the folder is missing or holds another network, or minilm cannot be downloaded.
    """
    name = str(backbone).removeprefix(HUB_PREFIX)
    if name in TEXT_PRESETS:
        return TextSource(name, next(kind for kind, names in PRESETS_BY_CLASS.items() if name in names))
    folder = fetch_minilm() if name == MINILM else Path(name)
    if not folder.is_dir():
        if os.sep in name:
            raise InputError(f"No folder {name!r}: give the folder of a KerasHub preset or Hugging Face checkpoint.")
        raise unknown_name("model.backbone", name, TEXT_BACKBONES)
    config = read_checkpoint_config(folder)
    if config:
        return TextSource(str(folder), BACKBONE_CLASSES[config["model_type"]], config)
    return TextSource(str(folder), _class_of_folder(folder))


def open_text_network(source, *, weights):
    """Opens the network of an encoder.

    Args:
        source: `TextSource`.
        weights: True loads the pretrained weights, False initializes them randomly.

    Returns:
        Tuple of KerasHub's functional network, a dictionary of settings that its layers must get (keys "activation" and
        "epsilon", both optional), and a bool: its pooler has trained weights.

    Raises:
        InputError: the encoder cannot be downloaded or read.
    """
    keras_hub = importlib.import_module("keras_hub")
    check_preset(source.preset)
    settings = {"activation": "gelu"} if source.preset in SENTENCE_PRESETS else {}
    with source.errors(), contextlib.ExitStack() as stack:
        preset, has_pooler = source.preset, source.class_name in ("BertBackbone", "AlbertBackbone")
        if source.config:
            settings = trained_settings(source.folder, source.config)
        if source.config and weights:
            preset, has_pooler = stack.enter_context(with_expected_tensors(source.folder, source.config))
        network = keras_hub.models.Backbone.from_preset(str(preset), load_weights=weights)
    return network, settings, has_pooler


def default_pooling(source):
    """Chooses the default pooling of an encoder.

    Args:
        source: `TextSource`.

    Returns:
        "average" for sentence encoders and encoders without a pretrained pooler, else "first".
    """
    if source.preset in SENTENCE_PRESETS:
        return "average"
    return (source.config and sentence_pooling(source.folder)) or POOLINGS_BY_CLASS[source.class_name]


def _reason(error):
    # Those of `requests` are plain OSErrors whose text is five lines of addresses.
    if any(kind.__name__ in ("ConnectionError", "Timeout") for kind in type(error).__mro__):
        return "the model hub cannot be reached"
    return first_line(error)


def _class_of_folder(folder):
    config = read_json(folder / "config.json") or {}
    name = config.get("class_name", "")
    if name not in POOLINGS_BY_CLASS:
        content = f"holds a {name}" if name else "holds no config.json of a network"
        raise InputError(
            f"The folder {str(folder)!r} {content}, expected a KerasHub preset or Hugging Face checkpoint of the BERT "
            f"family: {', '.join(POOLINGS_BY_CLASS)}."
        )
    return name
