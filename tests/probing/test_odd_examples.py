import numpy as np

from tl_keras import probing
from tl_keras.probing import odd_examples


def test_near_duplicates_and_far_examples_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr(odd_examples, "BLOCK", 16)
    generator = np.random.default_rng(0)
    points = np.concatenate([np.tile([10.0] + [0] * 7, (40, 1)) + generator.normal(0, 4, (40, 8)), -np.eye(8)[:1]])
    points[30] = points[3] + 1e-3
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype("float32")
    pairs, far = probing.compare_all(points)
    assert (3, 30) in pairs and all(points[row] @ points[other] >= 0.98 for row, other in pairs)
    assert far[0] == 40
    assert [len(one) for one in probing.compare_all(points[:1])] == [0, 0]


def test_only_pairs_near_chance_are_inseparable():
    labels = np.repeat([0, 1, 2], 20)
    probabilities = np.full((60, 3), 0.1)
    probabilities[np.arange(60), labels] = 0.8
    probabilities[:40:2, :2] = probabilities[:40:2, 1::-1]
    ((one, other, share),) = probing.inseparable_classes(probabilities, labels)
    assert (one, other, share) == (0, 1, 0.5)
