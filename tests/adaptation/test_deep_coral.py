import numpy as np

from tests.adaptation.domains import SOURCE, TARGET, assert_gradient_is_right
from tl_keras.adaptation import DeepCoral


def test_the_loss_is_the_distance_of_the_covariances():
    scale = np.sqrt(np.mean(SOURCE.features**2))
    first, second = (np.cov(part.features / scale, rowvar=False) for part in (SOURCE, TARGET))
    np.testing.assert_allclose(DeepCoral()(SOURCE, TARGET), np.sum((first - second) ** 2) / (4 * 5), rtol=1e-5)


def test_equal_features_and_larger_ones_of_a_whole_network_cost_the_same():
    loss = DeepCoral()
    assert float(loss(SOURCE, SOURCE)) == 0
    larger = [part._replace(features=100 * part.features) for part in (SOURCE, TARGET)]
    np.testing.assert_allclose(loss(*larger), loss(SOURCE, TARGET), rtol=1e-4)


def test_its_gradient():
    assert_gradient_is_right(DeepCoral(), "features")
