import numpy as np
import pytest

from tests.adaptation.domains import SOURCE, TARGET, assert_gradient_is_right
from tl_keras.adaptation import MinimumClassConfusion


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_loss_is_that_of_the_paper(temperature):
    softened = TARGET.probabilities.astype("float64") ** (1 / temperature)
    softened /= softened.sum(axis=1, keepdims=True)
    certainty = 1 + np.exp(np.sum(softened * np.log(softened), axis=1))
    confusion = softened.T @ np.diag(len(softened) * certainty / certainty.sum()) @ softened
    confusion /= confusion.sum(axis=1, keepdims=True)
    expected = (confusion.sum() - np.trace(confusion)) / 3
    np.testing.assert_allclose(MinimumClassConfusion(temperature)(SOURCE, TARGET), expected, rtol=1e-5)


def test_sure_predictions_cost_nothing():
    sure = TARGET._replace(probabilities=np.eye(3, dtype="float32"))
    assert float(MinimumClassConfusion()(SOURCE, sure)) < 0.01


def test_its_gradient():
    assert_gradient_is_right(MinimumClassConfusion(), "probabilities")
