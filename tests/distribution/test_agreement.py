import numpy as np

from tl_keras.distribution.agreement import any_of, array_from_chief, from_chief


def test_who_works_alone_agrees_with_itself():
    array = np.arange(3)
    assert from_chief(None, {"a": [1.5, None]}) == {"a": [1.5, None]}
    assert array_from_chief(None, array) is array
    assert any_of(None, [True, False]) == [True, False]
