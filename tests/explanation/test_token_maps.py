import numpy as np
import pytest

from tl_keras.explanation.token_maps import token_grid, token_maps


def test_special_tokens_have_no_place_in_the_map():
    features, gradients = np.random.default_rng(0).normal(size=(2, 3, 11, 4))
    maps = token_maps(features, gradients)
    assert maps.shape == (3, 3, 3)
    for image, row, column in ((0, 0, 0), (1, 1, 2), (2, 2, 0)):
        token = 2 + 3 * row + column
        share = sum(features[image, token, k] * gradients[image, token, k] for k in range(4))
        assert maps[image, row, column] == pytest.approx(max(share, 0))


@pytest.mark.parametrize(
    ("tokens", "side"), [(196, 14), (197, 14), (198, 14), (261, 16), (49, 7), (5, 2), (14, 3), (56, None), (3, None)]
)
def test_the_grid_is_square_beside_a_few_special_tokens(tokens, side):
    assert token_grid(tokens) == side


def test_a_sequence_of_any_length_has_no_grid():
    assert token_grid(None) is None
