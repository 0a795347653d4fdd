import numpy as np
import pytest

from tests.adaptation.domains import SOURCE, TARGET, assert_gradient_is_correct
from tl_keras.adaptation import MinimumClassConfusion


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_loss_equals_that_of_the_paper(temperature):
    softened = TARGET.probabilities.astype("float64") ** (1 / temperature)
    softened /= softened.sum(axis=1, keepdims=True)
    certainty = 1 + np.exp(np.sum(softened * np.log(softened), axis=1))
    confusion = softened.T @ np.diag(len(softened) * certainty / certainty.sum()) @ softened
    confusion /= confusion.sum(axis=1, keepdims=True)
    expected = (confusion.sum() - np.trace(confusion)) / 3
    np.testing.assert_allclose(MinimumClassConfusion(temperature)(SOURCE, TARGET), expected, rtol=1e-5)


def test_confident_predictions_have_no_loss():
    confident = TARGET._replace(probabilities=np.eye(3, dtype="float32"))
    assert float(MinimumClassConfusion()(SOURCE, confident)) < 0.01


def test_the_gradient_is_correct():
    assert_gradient_is_correct(MinimumClassConfusion(), "probabilities")
