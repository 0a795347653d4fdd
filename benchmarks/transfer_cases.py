"""Networks, examples and phases of the transfer benchmarks.

Weights, pixels and token ids are random, which does not change the arithmetic. A text has 16 to 112 tokens, 64 on
average.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import tl_keras as tl
from tl_keras.config import CacheConfig, DataConfig, ModelConfig, RunConfig, TextConfig

BERT = "bert"
CLASSES, BATCH_SIZE = 10, 32
SPECIAL_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY_SIZE, MIN_TOKENS, MAX_TOKENS = 1000, 16, 112


@dataclass(frozen=True)
class Case:
    """Network and phases of a case."""

    network: str
    """Image backbone, or `BERT` with 6 layers, width 384 and 12 heads."""
    image_size: int | None
    """Side of the images; None for texts."""
    blocks: tuple[str, ...]
    """First trainable block of each phase."""
    epochs: int
    """Number of epochs of each phase."""

    @property
    def phases(self):
        """List of `Phase`."""
        return [tl.Phase(block, epochs=self.epochs, learning_rate=1e-4) for block in self.blocks]


CASES = {
    "feature extraction, VGG16 @160": Case("vgg16", 160, ("head",), 5),
    "feature extraction, InceptionV3 @160": Case("inception_v3", 160, ("head",), 5),
    "feature extraction, InceptionV3 @299": Case("inception_v3", 299, ("head",), 5),
    "progressive, InceptionV3 @160": Case("inception_v3", 160, ("head", "mixed10", "mixed9"), 3),
    "progressive, VGG16 @160": Case("vgg16", 160, ("head", "block5", "block4"), 3),
    "progressive, EfficientNet-Lite0 @128": Case("efficientnet_lite0", 128, ("head", "top", "block7"), 3),
    "progressive, BERT 6 x 384": Case(BERT, None, ("head", "layer5", "layer3"), 3),
}


def build_model(case):
    """Builds the classifier of a case, with random weights and without dropout."""
    from tl_keras import models

    if case.network != BERT:
        size = case.image_size
        return models.build_image_classifier(case.network, CLASSES, weights=None, image_size=size, dropout=0.0)
    with tempfile.TemporaryDirectory() as folder:
        _save_bert(Path(folder))
        return models.build_text_classifier(folder, CLASSES, weights=None, dropout=0.0)


def make_splits(case, count):
    """Draws `count` training examples; the first one is also the only validation and test example."""
    generator = np.random.default_rng(0)
    return _draw_texts(generator, count) if case.network == BERT else _draw_images(generator, count, case.image_size)


def make_config(case, cache):
    """Returns the `RunConfig` of a case with a `CacheConfig`, without augmentation."""
    is_text = case.network == BERT
    return RunConfig(
        task="text_classification" if is_text else "image_classification",
        data=DataConfig(augmentation="none", batch_size=BATCH_SIZE),
        model=ModelConfig(dropout=0.0) if is_text else ModelConfig(backbone=case.network, dropout=0.0),
        text=TextConfig(max_tokens=MAX_TOKENS) if is_text else TextConfig(),
        cache=cache,
        phases=case.phases,
    )


def train_by_the_package(case, model, splits, cache=None):
    """Trains all phases on cached activations, as `python -m tl_keras.train` does.

    The default `CacheConfig` keeps them in memory. Checkpoints, audits and the log are written to a temporary folder.
    """
    from tl_keras import models
    from tl_keras.runs.run_folder import RunFolder
    from tl_keras.training import fitting

    config = make_config(case, cache or CacheConfig(mode="on", max_gigabytes=8.0))
    models.compile_classifier(model, fitting.make_optimizer(config.optimizer))
    with tempfile.TemporaryDirectory() as folder:
        fitting.fit_phases(config, model, splits, config.phases, RunFolder(folder))


def _save_bert(folder):
    import keras_hub

    words = [*SPECIAL_WORDS, *(f"word{number}" for number in range(VOCABULARY_SIZE - len(SPECIAL_WORDS)))]
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY_SIZE,
        num_layers=6,
        num_heads=12,
        hidden_dim=384,
        intermediate_dim=1536,
        max_sequence_length=128,
        dropout=0.0,
        dtype="float32",
    )
    backbone.save_to_preset(folder)
    keras_hub.models.BertTokenizer(vocabulary=words, lowercase=True).save_to_preset(folder)


def _draw_images(generator, count, size):
    from tl_keras import data

    names = tuple(map(str, range(CLASSES)))
    images = generator.integers(0, 256, (count, size, size, 3), np.uint8)
    labels = generator.integers(0, CLASSES, count, np.int32)
    train = data.ImageSet(images, labels, [""] * count, names)
    first = data.ImageSet(images[:1], labels[:1], [""], names)
    return data.Splits(train, first, first, names, [])


def _draw_texts(generator, count):
    from tl_keras import data

    lengths = generator.integers(MIN_TOKENS, MAX_TOKENS + 1, count)
    tokens = generator.integers(len(SPECIAL_WORDS), VOCABULARY_SIZE, lengths.sum(), np.int32)
    labels = generator.integers(0, CLASSES, count, np.int32)
    names = tuple(map(str, range(CLASSES)))

    def take(number):
        return data.TokenSet(
            tokens=tokens[: lengths[:number].sum()],
            offsets=np.concatenate([[0], np.cumsum(lengths[:number])]),
            segments=np.zeros(lengths[:number].sum(), np.int8),
            labels=labels[:number],
            names=[""] * number,
            texts=[""] * number,
            class_names=names,
            pad_id=0,
        )

    return data.TokenSplits(take(count), take(1), take(1), names)
