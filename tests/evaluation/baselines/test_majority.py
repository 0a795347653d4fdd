import numpy as np

from tl_keras.evaluation.baselines.majority import majority_baseline


def test_the_most_frequent_class_of_training_is_predicted():
    baseline = majority_baseline(np.array([1, 1, 0]), [0, 1, 0, 2], ("a", "b", "c"))
    assert baseline.name == "majority class"
    assert baseline.metrics["accuracy"] == 0.25
    np.testing.assert_allclose(baseline.probabilities, [[1 / 3, 2 / 3, 0]] * 4)


def test_the_most_frequent_label_set_of_training_is_predicted():
    train = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 0, 0]])
    baseline = majority_baseline(train, [[1, 1, 0], [1, 0, 0]], ("a", "b", "c"), multi_label=True)
    assert baseline.name == "most frequent label set"
    assert baseline.metrics["subset_accuracy"] == 0.5
    np.testing.assert_array_equal(baseline.probabilities, [[1, 1, 0]] * 2)
