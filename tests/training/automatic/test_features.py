import numpy as np
import pytest

from tests.models.small_backbone import BLOCKS
from tl_keras import data
from tl_keras.config import CacheConfig, ModelConfig, RunConfig
from tl_keras.training.automatic.features import FeatureReader, HeadInput
from tl_keras.training.building import build_model

WIDTHS = [8, 16, 24, 32]


@pytest.fixture
def splits(small_network):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype("uint8")
    images = data.ImageSet(pixels, np.arange(6) % 2, [str(number) for number in range(6)], ("a", "b"))
    return data.Splits(images, images.take(np.arange(0)), images, ("a", "b"))


def reader_of(splits, **settings):
    return FeatureReader(RunConfig(cache=CacheConfig(mode="off"), **settings), splits)


def test_there_are_fewer_blocks_before_more(splits):
    inputs = reader_of(splits).inputs
    assert [(one.head_blocks, one.pooling) for one in inputs] == [
        ("last", "average"),
        (BLOCKS[1:], "average"),
        ("all", "average"),
        ("all", "concat"),
    ]


def test_given_blocks_and_pooling_leave_no_choice(splits):
    (only,) = reader_of(splits, model=ModelConfig(head_blocks=["stem", "top"], pooling="max")).inputs
    assert (only.head_blocks, only.pooling) == (["stem", "top"], "max")


def test_a_head_reads_the_same_columns_that_its_model_has(splits):
    config = RunConfig(cache=CacheConfig(mode="off"))
    reader = FeatureReader(config, splits)
    features = reader.read(splits.train)
    assert features.shape == (6, 2 * sum(WIDTHS))
    for head_input in reader.inputs:
        decided = head_input.configure(config)
        alone = FeatureReader(decided, splits, build_model(decided, splits))
        chosen = features[:, reader.feature_set(head_input).columns]
        np.testing.assert_allclose(chosen, alone.read(splits.train), atol=1e-5)


def test_averages_and_maxima_of_each_block_are_groups_of_their_own(splits):
    reader = reader_of(splits)
    assert np.unique(reader.feature_set(reader.inputs[-1]).groups).tolist() == list(range(8))
    assert len(np.unique(reader.feature_set(reader.inputs[0]).groups)) == 1
    assert len(reader.last_block_columns) == WIDTHS[-1]


def test_configured_blocks_are_those_of_the_head_input():
    config = HeadInput("two", ("block6", "top"), "max").configure(RunConfig())
    assert (config.model.head_blocks, config.model.pooling) == (["block6", "top"], "max")


def test_features_of_part_of_the_images_are_the_same(splits):
    reader = reader_of(splits)
    rows = np.array([4, 1])
    np.testing.assert_allclose(reader.read(splits.train.take(rows)), reader.read(splits.train)[rows], atol=1e-5)
