import numpy as np

from tests.adaptation.domains import SOURCE, TARGET
from tl_keras.adaptation import SelfTraining


def test_the_loss_is_the_cross_entropy_of_confident_predictions():
    largest = TARGET.probabilities.max(axis=1)
    threshold = float(np.median(largest))
    expected = -np.sum(np.log(largest[largest >= threshold])) / len(largest)
    np.testing.assert_allclose(SelfTraining(threshold)(SOURCE, TARGET), expected, rtol=1e-5)


def test_unconfident_predictions_have_no_loss():
    assert float(SelfTraining(1.0)(SOURCE, TARGET)) == 0
