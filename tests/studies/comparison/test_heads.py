import numpy as np
import pytest

from tl_keras.studies.comparison.heads import share_features, solve_cell


@pytest.mark.usefixtures("small_network")
def test_heads_read_the_shared_features(small_image_data):
    config, splits = small_image_data
    shared = share_features(config, splits)
    assert shared.train.shape[0] == len(splits.train) and shared.test.shape[0] == len(splits.test)
    assert shared.forward_seconds > 0 and shared.multiply_adds > 10_000
    rows = np.arange(len(splits.train))
    for method in ("solved_head", "auto"):
        probabilities, costs, solved = solve_cell(config, splits, shared, method, rows)
        assert np.mean(probabilities.argmax(axis=1) == splits.test.labels) > 0.8, "the classes are three colours"
        assert solved.head_input in shared.reader.inputs
        assert costs["steps"] == 0 and costs["multiply_adds"] == shared.multiply_adds * len(rows)
        assert costs["cpu_seconds"] > shared.forward_seconds * len(rows)
    one_each = np.unique(splits.train.labels, return_index=True)[1]
    assert solve_cell(config, splits, shared, "solved_head", one_each)[0].shape == (len(splits.test), 3)
