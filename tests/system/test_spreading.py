import numpy as np

from tl_keras.system.spreading import spread_rows


def test_rows_are_spread_evenly():
    assert spread_rows(np.zeros(10), 4).tolist() == [0, 3, 6, 9]
    assert spread_rows(np.zeros(3), 4).tolist() == [0, 1, 2]
