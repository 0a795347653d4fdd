import numpy as np

from tests.adaptation.domains import SOURCE, TARGET, assert_gradient_is_correct
from tl_keras.adaptation import DeepCoral


def test_the_loss_is_the_distance_of_the_covariances():
    scale = np.sqrt(np.mean(SOURCE.features**2))
    first, second = (np.cov(part.features / scale, rowvar=False) for part in (SOURCE, TARGET))
    np.testing.assert_allclose(DeepCoral()(SOURCE, TARGET), np.sum((first - second) ** 2) / (4 * 5), rtol=1e-5)


def test_the_loss_does_not_depend_on_the_scale_of_the_features():
    loss = DeepCoral()
    assert float(loss(SOURCE, SOURCE)) == 0
    larger = [part._replace(features=100 * part.features) for part in (SOURCE, TARGET)]
    np.testing.assert_allclose(loss(*larger), loss(SOURCE, TARGET), rtol=1e-4)


def test_the_gradient_is_correct():
    assert_gradient_is_correct(DeepCoral(), "features")
