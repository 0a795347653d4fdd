import numpy as np
import pytest

from tl_keras import evaluation

NUM_CLASSES = 3


def random_images(number, seed=0):
    """Draws ground truth boxes, and detections of which most are near them."""
    generator = np.random.default_rng(seed)
    boxes, labels, predictions = [], [], []
    for _ in range(number):
        count = generator.integers(0, 5)
        corners = generator.uniform(0, 60, (count, 2))
        truth = np.concatenate([corners, corners + generator.uniform(10, 30, (count, 2))], axis=1)
        classes = generator.integers(NUM_CLASSES, size=count)
        found = np.concatenate(
            [truth + generator.normal(0, 2, truth.shape), truth + generator.normal(0, 8, truth.shape)]
        )
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
        guessed = np.where(generator.random(2 * count) < 0.8, np.tile(classes, 2), generator.integers(NUM_CLASSES))
        boxes.append(truth)
        labels.append(classes)
        predictions.append({"boxes": found, "scores": generator.random(2 * count), "labels": guessed})
    return boxes, labels, predictions


def repeated(images, counts):
    return [[part[row] for row, count in enumerate(counts) for _ in range(count)] for part in images]


def test_resampled_average_precision_is_that_of_coco_on_the_resampled_images():
    images = random_images(20)
    counts = np.random.default_rng(1).multinomial(20, np.full(20, 1 / 20), size=5)
    counts = np.concatenate([np.ones((1, 20), int), counts])
    values = evaluation.resample_average_precision(*images, NUM_CLASSES, counts)
    for row, value in zip(counts, values, strict=True):
        metrics = evaluation.detection_metrics(*repeated(images, row), "abc")
        assert value == pytest.approx(metrics["average_precision_50"], abs=1e-12)
    assert 0.3 < values[0] < 0.95 and np.ptp(values) > 0.01


def test_a_resample_without_any_box_counts_as_zero():
    boxes, labels = [np.zeros((0, 4)), np.array([[0, 0, 9.0, 9]])], [np.zeros(0, int), np.array([0])]
    predictions = [{"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}] * 2
    predictions[1] = {"boxes": boxes[1], "scores": np.array([0.9]), "labels": np.array([0])}
    values = evaluation.resample_average_precision(boxes, labels, predictions, 1, np.array([[2, 0], [0, 2]]))
    assert values.tolist() == [0.0, 1.0]
