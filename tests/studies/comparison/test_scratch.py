from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras.config.parsing import parse
from tl_keras.data import ImageSet
from tl_keras.studies.comparison import scratch
from tl_keras.studies.comparison.progress import OutOfTime
from tl_keras.studies.comparison.scratch import ScratchTrainer, shrink
from tl_keras.system.time_limit import NO_LIMIT, TimeLimit


def make_set(side, count=6):
    images = np.random.default_rng(0).integers(0, 255, (count, side, side, 3)).astype("uint8")
    return ImageSet(images, np.arange(count) % 2, [str(row) for row in range(count)], ("a", "b"))


def test_large_images_are_averaged_and_small_ones_stay():
    small, large = make_set(70), make_set(130)
    assert shrink(small) is small
    shrunk = shrink(large).images
    assert shrunk.shape == (6, 65, 65, 3)
    assert shrunk[0, 0, 0, 0] == round(large.images[0, :2, :2, 0].mean())


@pytest.mark.usefixtures("eager")
def test_each_cell_starts_anew_and_ends_in_time(monkeypatch):
    monkeypatch.setattr(scratch, "STEPS", 2)
    monkeypatch.setattr("tl_keras.models.images.small_network.WIDTHS", (4,))
    part = make_set(16)
    splits = SimpleNamespace(train=part, test=part, class_names=part.class_names)
    config = parse(["--data.path", "x", "--data.batch_size", "4"])
    trainer = ScratchTrainer(config, splits, NO_LIMIT)
    first, costs = trainer.train(np.arange(4), seed=1)
    assert (costs["steps"], first.shape) == (2, (6, 2)) and costs["multiply_adds"] > 1e5
    trainer.train(np.arange(6), seed=2)
    np.testing.assert_allclose(trainer.train(np.arange(4), seed=1)[0], first, atol=1e-5)
    trainer._limit = TimeLimit(1e-9)
    with pytest.raises(OutOfTime):
        trainer.train(np.arange(4), seed=1)


def test_texts_have_words_or_the_majority(monkeypatch):
    part = SimpleNamespace(
        texts=["good film", "bad film", "good", "bad"] * 3,
        first_rows=np.arange(12),
        labels=np.arange(12) % 2,
        class_names=("good", "bad"),
        take=lambda rows: part,
    )
    trainer = ScratchTrainer(
        SimpleNamespace(task="text_classification", data=SimpleNamespace(batch_size=4)),
        SimpleNamespace(train=part, test=part),
        NO_LIMIT,
    )
    probabilities, costs = trainer.train(np.arange(12), seed=0)
    assert probabilities.argmax(axis=1).tolist() == part.labels.tolist()
    assert costs["steps"] == 0 and costs["multiply_adds"] is None
    part.texts = ["?"] * 12
    assert trainer.train(np.arange(12), seed=0)[0].shape == (12, 2)
