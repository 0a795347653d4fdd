import numpy as np
import pytest

from tests.training.automatic.long_texts import write_long_texts
from tl_keras import data
from tl_keras.config.parsing import parse
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic import solved_head
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import sample_examples, solve, take_examples


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Configuration and splits of 20 texts, some of them in two windows."""
    config = parse([*write_long_texts(tmp_path_factory.mktemp("texts")), "--cache.mode", "off"])
    return config, TASKS[config.task].load_data(config)


def test_texts_in_windows_have_a_row_of_features_each(texts):
    config, splits = texts
    reader = FeatureReader(config, splits)
    assert len(splits.train) > len(splits.train.first_rows)
    features = reader.read(splits.train)
    assert len(features) == len(splits.train.first_rows)
    windows = reader.read(splits.train.take(np.flatnonzero(splits.train.owners == 0)))
    np.testing.assert_allclose(features[0], windows[0], atol=1e-5)
    assert len(reader.read(splits.test)) == len(splits.test)


def test_a_head_is_solved_on_all_texts(texts):
    config, splits = texts
    solved = solve(config, splits, FeatureReader(config, splits))
    count = len(splits.train.first_rows)
    assert config.recipe == "auto" and not len(splits.validation)
    assert len(solved.held_out.rows) == len(solved.examples.fit_rows) == count
    assert solved.head.weights.shape[1] == 2
    assert "log-loss of held-out examples" in solved.lines[0]


def test_taken_texts_keep_all_their_windows(texts):
    _, splits = texts
    owners = splits.train.owners
    taken = take_examples(splits.train, np.array([0, 3]))
    assert len(taken) == np.isin(owners, [0, 3]).sum()
    assert taken.owners[-1] == 1


def test_only_large_parts_are_sampled(monkeypatch):
    images = data.ImageSet(np.zeros((9, 1, 1, 3), "uint8"), np.arange(9), list("abcdefghi"), tuple("abcdefghi"))
    assert sample_examples(images, seed=0) is images
    monkeypatch.setattr(solved_head, "MAX_EXAMPLES", 4)
    sample = sample_examples(images, seed=0)
    assert len(sample) == 4 and sample.labels.tolist() == sample_examples(images, seed=0).labels.tolist()
