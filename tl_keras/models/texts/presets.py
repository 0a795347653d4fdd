"""Opens the text encoders of KerasHub: a preset of the hub, the folder of one, or a local Hugging Face checkpoint."""

import contextlib
import importlib
import os
from dataclasses import dataclass
from pathlib import Path

import safetensors

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.images.backbones import HUB_PREFIX
from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.texts.backbones import (
    MINILM,
    PRESETS_BY_CLASS,
    SENTENCE_PRESETS,
    TEXT_BACKBONES,
    TEXT_PRESETS,
)
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
    # The pooler of these two was trained on pairs of sentences; in the others nothing was trained to sum up a text.
    "BertBackbone": "first",
    "AlbertBackbone": "first",
    "DistilBertBackbone": "average",
    "RobertaBackbone": "average",
    "XLMRobertaBackbone": "average",
    "DebertaV3Backbone": "average",
}


@dataclass(frozen=True)
class TextSource:
    """Where an encoder comes from."""

    preset: str
    """What KerasHub opens: a name of `TEXT_PRESETS`, or the path of a folder."""
    class_name: str
    """The encoder's class in `keras_hub.models`."""
    config: dict | None = None
    """The configuration of a Hugging Face checkpoint; None for KerasHub's own format."""

    @property
    def folder(self):
        """`pathlib.Path` of a local source, or None for a preset of the hub."""
        return None if self.preset in TEXT_PRESETS else Path(self.preset)

    @property
    def short_name(self):
        """The last part of the name."""
        return Path(self.preset).name


def find_text_source(backbone):
    """Finds out what a user means by the name of an encoder, without loading TensorFlow or KerasHub.

    Args:
        backbone: a name of `TEXT_BACKBONES`, or the folder of a KerasHub preset or of a Hugging Face checkpoint.

    Returns:
        `TextSource`.

    Raises:
        InputError: unknown name, no such folder, a network of another family, or minilm cannot be fetched.
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
    """Opens an encoder.

    Args:
        source: `TextSource`.
        weights: whether to load the pretrained weights; else they are random.

    Returns:
        Tuple of KerasHub's functional network, the settings its layers must have in place of those it was built with
        (a dictionary with "activation" and "epsilon", or less), and whether its pooler holds trained weights.

    Raises:
        InputError: the encoder cannot be fetched or read.
    """
    keras_hub = importlib.import_module("keras_hub")
    check_preset(source.preset)
    settings = {"activation": "gelu"} if source.preset in SENTENCE_PRESETS else {}
    with hub_errors(source.preset), contextlib.ExitStack() as stack:
        preset, has_pooler = source.preset, source.class_name in ("BertBackbone", "AlbertBackbone")
        if source.config:
            settings = trained_settings(source.folder, source.config)
        if source.config and weights:
            preset, has_pooler = stack.enter_context(with_expected_tensors(source.folder, source.config))
        network = keras_hub.models.Backbone.from_preset(str(preset), load_weights=weights)
    return network, settings, has_pooler


def default_pooling(source):
    """Chooses how the tokens of a text become one vector.

    Args:
        source: `TextSource`.

    Returns:
        "average" for sentence encoders and where the first token was never trained to sum up a text, else "first".
    """
    if source.preset in SENTENCE_PRESETS:
        return "average"
    return (source.config and sentence_pooling(source.folder)) or POOLINGS_BY_CLASS[source.class_name]


@contextlib.contextmanager
def hub_errors(preset):
    """Turns what KerasHub raises while it opens a preset into one sentence.

    Args:
        preset: the preset's name or folder.

    Raises:
        InputError: the preset could not be opened.
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        raise InputError(
            f"The text encoder {preset!r} could not be opened ({_reason(error)}): presets need the network; without "
            "it, give the local folder of a KerasHub preset or Hugging Face checkpoint as --model.backbone PATH, or "
            f"take --model.backbone {MINILM}, whose weights come with pip."
        ) from error


def _reason(error):
    # That of `requests` inherits OSError only, and fills five lines with the addresses that it tried.
    if any(kind.__name__ in ("ConnectionError", "Timeout") for kind in type(error).__mro__):
        return "the model hub cannot be reached"
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _class_of_folder(folder):
    config = read_json(folder / "config.json") or {}
    name = config.get("class_name", "")
    if name not in POOLINGS_BY_CLASS:
        found = f"holds a {name}" if name else "holds no config.json of a network"
        raise InputError(
            f"The folder {str(folder)!r} {found}, expected a KerasHub preset or Hugging Face checkpoint of the BERT "
            f"family: {', '.join(POOLINGS_BY_CLASS)}."
        )
    return name
