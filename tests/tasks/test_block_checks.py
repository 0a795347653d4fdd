from types import SimpleNamespace

import pytest

from tl_keras.errors import UnusedSetting
from tl_keras.phases import Phase
from tl_keras.tasks.block_checks import check_blocks

BLOCKS = ["stem", "block1", "head"]


@pytest.mark.parametrize("train", ["head", "all", "block1", ["stem", "head"], "regex:.*"])
def test_blocks_of_the_model_pass(train):
    check_blocks(SimpleNamespace(unfreeze_from="block1", phases=[Phase(train, learning_rate=1e-3)]), BLOCKS)
    check_blocks(SimpleNamespace(unfreeze_from=None, phases=None), BLOCKS)


@pytest.mark.parametrize(
    ("unfreeze_from", "train", "message", "name"),
    [
        ("block2", "head", "Unknown unfreeze_from 'block2': did you mean 'block1'", "unfreeze_from"),
        ("head", "head", "Unknown unfreeze_from 'head'", "unfreeze_from"),
        (None, ["block2"], "Unknown block 'block2': did you mean 'block1'", "phases"),
    ],
)
def test_other_blocks_are_refused(unfreeze_from, train, message, name):
    config = SimpleNamespace(unfreeze_from=unfreeze_from, phases=[Phase(train, learning_rate=1e-3)])
    with pytest.raises(UnusedSetting, match=message) as caught:
        check_blocks(config, BLOCKS)
    assert caught.value.names == (name,)
