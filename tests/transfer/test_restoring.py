import keras
import pytest

from tl_keras.transfer.restoring import replaced_calls, restored_variables


def test_variables_are_restored_after_an_error():
    variable = keras.Variable([1.0, 2.0])
    with pytest.raises(RuntimeError), restored_variables([variable]):
        variable.assign([3.0, 4.0])
        raise RuntimeError
    assert variable.numpy().tolist() == [1, 2]


def test_calls_are_replaced_within_the_block_only():
    layer = keras.layers.Identity()
    with pytest.raises(RuntimeError), replaced_calls([layer], lambda layer: lambda inputs: -inputs):
        assert float(layer(2.0)) == -2
        raise RuntimeError
    assert float(layer(2.0)) == 2
