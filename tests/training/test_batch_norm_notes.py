import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.transfer.tiny_models import blocks_model
from tl_keras.config.parsing import parse
from tl_keras.data import ImageSet
from tl_keras.phases import Phase
from tl_keras.training.batch_norm_notes import check_batch_norm, note_batch_norm
from tl_keras.transfer.plan import plan_phases

TRAIN = ["--batch_norm", "train"]


@pytest.mark.parametrize(
    ("flags", "train", "num_examples", "noted"),
    [
        (TRAIN, "all", 80, True),
        (TRAIN, "all", 5000, False),
        ([*TRAIN, "--data.batch_size", "8"], "all", 5000, True),
        (TRAIN, "head", 80, False),
        ([], "all", 80, False),
    ],
)
def test_statistics_of_few_images_are_pointed_out(flags, train, num_examples, noted):
    model, config = blocks_model(), parse(flags)
    sentences = note_batch_norm(config, model, plan_phases(model, [Phase(train)], config.batch_norm), num_examples)
    assert len(sentences) == noted
    assert all(sentence.startswith("batch_norm train estimates statistics from batches of") for sentence in sentences)


def splits():
    images = np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("float32")
    examples = ImageSet(images, np.arange(8, dtype="int32") % 2, list("abcdefgh"), ("x", "y"))
    return SimpleNamespace(train=examples, validation=examples)


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ([9.0, 0.05], "the statistics of batch_norm train do not fit: .* but was 0.05 with those of each batch"),
        ([9.0, 5.0], None),
        ([1.0, 1.2], "batch_norm train has not helped: .* is 1.20 after phase 'all', but was 1.00 before"),
    ],
)
def test_a_training_of_statistics_that_failed_is_a_warning(losses, sentence):
    config = parse([*TRAIN, "--data.batch_size", "4", "--data.augmentation", "mixup", "--cache.views", "2"])
    model = blocks_model()
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    plan = plan_phases(model, [Phase("head"), Phase("all")], "train")
    found = check_batch_norm(config, model, splits(), plan, {"loss": losses})
    assert re.match(sentence, found[0]) if sentence else not found
    assert check_batch_norm(parse([]), model, None, plan, {"loss": [0.05]}) == []


def test_the_losses_of_a_restored_best_epoch_are_compared():
    config, model = parse([*TRAIN, "--data.batch_size", "4"]), blocks_model()
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    plan = plan_phases(model, [Phase("head"), Phase("all", epochs=2)], "train")
    losses = {"loss": [9.0, 5.0, 0.05]}
    assert check_batch_norm(config, model, splits(), plan, losses)
    plan[-1]["best_epoch"] = 1
    assert check_batch_norm(config, model, splits(), plan, losses) == []
