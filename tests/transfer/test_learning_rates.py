import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.transfer.tiny_models import blocks_model
from tl_keras.phases import Phase
from tl_keras.transfer.freezing import freeze_to, variables_by_block
from tl_keras.transfer.learning_rates import block_learning_rates, current_rate, moving_blocks, rate_multipliers


@pytest.mark.parametrize(
    ("decay", "rates"), [(1.0, [1e-2, 1e-2, 1e-2]), (0.5, [2.5e-3, 5e-3, 1e-2]), (0.1, [1e-4, 1e-3, 1e-2])]
)
def test_rates_decrease_block_by_block_towards_the_input(decay, rates):
    phase = Phase("all", learning_rate=1e-2, block_decay=decay)
    assert block_learning_rates(phase, ["a", "b", "c"]) == pytest.approx(dict(zip("abc", rates, strict=True)))


def test_blocks_with_negligible_rates_are_not_moving_blocks():
    assert moving_blocks({"block1": 1e-9, "block2": 1e-7, "head": 1e-3}) == ["block2", "head"]


def test_multipliers_follow_the_optimizer_order_and_are_zero_for_frozen_blocks():
    model = blocks_model()
    variables = model.trainable_variables[::-1]
    rates = {"block2": 5e-3, "head": 1e-2}
    multipliers = rate_multipliers(variables, variables_by_block(model), rates, 1e-2)
    assert multipliers.dtype == np.float32
    share_of = {"head.l": 1.0, "block2": 0.5, "block1": 0.0}
    assert multipliers.tolist() == [share_of[variable.path[:6]] for variable in variables]


def test_frozen_variables_in_a_trainable_block_have_multiplier_zero():
    model = blocks_model()
    variables = model.trainable_variables
    freeze_to(model, "regex:kernel$")
    rates = dict.fromkeys(["block1", "block2", "head"], 1e-2)
    multipliers = rate_multipliers(variables, variables_by_block(model), rates, 1e-2)
    assert multipliers.tolist() == [float(variable.path.endswith("kernel")) for variable in variables]


def test_the_rate_is_read_where_a_strategy_mirrors_it():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        optimizer = keras.optimizers.AdamW(0.25)
    assert current_rate(optimizer) == 0.25
