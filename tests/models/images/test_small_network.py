import numpy as np

from tl_keras.models.images.small_network import build_small_network


def test_probabilities_of_images_of_any_size():
    network = build_small_network(3, 32)
    probabilities = np.asarray(network(np.full((2, 32, 32, 3), 128.0, "float32")))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert 250_000 < network.count_params() < 300_000
