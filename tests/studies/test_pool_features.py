from types import SimpleNamespace

import numpy as np

from tl_keras import probing
from tl_keras.studies.pool_features import WIDTH, Projection


def test_points_keep_the_cosines_of_the_standardized_averages():
    generator, width = np.random.default_rng(0), WIDTH + 200
    features = generator.normal(5, 1, (300, width + 10)).astype("float32")
    features[1] = features[0]
    features[1, :40] += 0.1
    columns = np.arange(width)
    feature_set = probing.FeatureSet("all blocks", columns, np.zeros(width, int))
    reader = SimpleNamespace(feature_set=lambda head_input: feature_set)
    points = Projection(reader, features, 0)(features)
    assert points.shape == (300, WIDTH) and points.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-5)
    exact = features[:, :width] - features[:, :width].mean(axis=0)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert np.abs(points @ points.T - exact @ exact.T).mean() < 0.05
    assert points[0] @ points[1] > 0.99
