"""The benchmark of `label next` and `label check`, on made features."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import labels

from tl_keras import probing


@pytest.fixture
def examples(monkeypatch):
    """Features of three classes that differ clearly, 60 in the pool and 10 in the test of each."""
    monkeypatch.setattr(labels, "ROUNDS", (2, 5))
    monkeypatch.setattr(labels, "RANDOM_ROUNDS", (2, 5, 10))
    generator, made = np.random.default_rng(0), labels.FeaturesOfSet.__new__(labels.FeaturesOfSet)
    made.pool_labels, made.test_labels, made.num_classes = np.arange(180) % 3, np.arange(30) % 3, 3
    centres = 6 * np.eye(8)[:3]
    made.pool = (centres[made.pool_labels] + generator.normal(0, 1, (180, 8))).astype("float32")
    made.test = (centres[made.test_labels] + generator.normal(0, 1, (30, 8))).astype("float32")
    made.feature_set = probing.FeatureSet("all", np.arange(8), np.zeros(8, int))
    return made


def test_the_tables_are_printed(examples, capsys):
    labels.measure_next({"made": examples}, 1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| labels a class | random |") and lines[2].startswith("| 2 | ")
    assert lines[-1].startswith("| made | ")
    labels.measure_check({"made": examples}, 1, 20)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| made | 1.00 ± 0.00 | 1.00 ± 0.00 | 1.00 ± 0.00 |"
    assert lines[-1].startswith("| 20% | ")


def test_gains_are_printed_where_the_pool_has_as_many_more_labels(examples, capsys):
    # Without mistakes there is nothing to gain.
    examples.pool += np.random.default_rng(1).normal(0, 5, examples.pool.shape).astype("float32")
    labels.measure_gain({"made": examples}, 2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| set | labels | more | predicted | measured |"
    assert [line.split(" | ")[1:3] for line in lines[2:]] == [["30", "10"], ["60", "20"]], "the pool ends at 60 a class"


def test_the_equal_number_of_random_labels_is_interpolated(monkeypatch):
    monkeypatch.setattr(labels, "RANDOM_ROUNDS", (5, 20))
    assert labels.equal_budget([0.5, 0.7], 0.6) == pytest.approx(10)
    assert labels.equal_budget([0.5, 0.7], 0.9) == pytest.approx(20)
