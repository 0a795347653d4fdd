import numpy as np

from tests.adaptation.domains import SOURCE, TARGET
from tl_keras.adaptation import SelfTraining


def test_what_the_model_is_sure_of_is_learned():
    largest = TARGET.probabilities.max(axis=1)
    threshold = float(np.median(largest))
    expected = -np.sum(np.log(largest[largest >= threshold])) / len(largest)
    np.testing.assert_allclose(SelfTraining(threshold)(SOURCE, TARGET), expected, rtol=1e-5)


def test_what_it_is_not_sure_of_is_not():
    assert float(SelfTraining(1.0)(SOURCE, TARGET)) == 0
