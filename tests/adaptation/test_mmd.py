import numpy as np

from tests.adaptation.domains import SOURCE, TARGET, assert_gradient_is_correct, outputs
from tl_keras.adaptation import MaximumMeanDiscrepancy


def test_the_loss_equals_that_of_the_paper():
    both = np.concatenate([SOURCE.features, TARGET.features]).astype("float64")
    distances = np.sum((both[:, None] - both[None]) ** 2, axis=2)
    scale = distances.sum() / (14 * 13)
    kernel = np.mean([np.exp(-distances / (width * scale)) for width in (0.25, 0.5, 1, 2, 4)], axis=0)
    expected = kernel[:6, :6].mean() + kernel[6:, 6:].mean() - 2 * kernel[:6, 6:].mean()
    np.testing.assert_allclose(MaximumMeanDiscrepancy()(SOURCE, TARGET), expected, rtol=1e-4)


def test_the_loss_grows_with_the_distance_of_the_domains():
    losses = [float(MaximumMeanDiscrepancy()(SOURCE, outputs(8, 1, shift))) for shift in (0.0, 0.5, 2.0)]
    assert losses == sorted(losses) and losses[0] >= 0


def test_the_gradient_treats_the_bandwidth_as_a_constant():
    # With many more other examples, the bandwidth hardly changes.
    source = outputs(300, 2)
    assert_gradient_is_correct(MaximumMeanDiscrepancy(), "features", source=source)
