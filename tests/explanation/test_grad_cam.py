import numpy as np

from tl_keras.explanation.grad_cam import grad_cam


def test_the_map_is_that_of_equations_1_and_2():
    features, gradients = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6))
    expected = np.zeros((3, 4, 5))
    for image in range(3):
        for channel in range(6):
            weight = gradients[image, :, :, channel].sum() / 20
            expected[image] += weight * features[image, :, :, channel]
    assert (expected < 0).any()
    np.testing.assert_allclose(grad_cam(features, gradients), np.maximum(expected, 0), atol=1e-12)
