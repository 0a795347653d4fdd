from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tl_keras.config.parsing import parse
from tl_keras.data import Splits
from tl_keras.training import candidates
from tl_keras.training.candidates import Domains, list_candidates


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (["--adaptation.method", "adabn"], ["adabn"]),
        (["--adaptation.method", "tent"], ["tent"]),
        (["--adaptation.method", "self_training"], ["self_training × 0.3", "self_training × 1"]),
        (["--adaptation.method", "mmd", "--adaptation.weights", "[2, 0.5]"], ["mmd × 2", "mmd × 0.5"]),
    ],
)
def test_a_method_has_a_candidate_for_each_weight_or_one(settings, names):
    config = parse([*settings, "--adaptation.target", "x"])
    assert [name for name, _ in list_candidates(config, domains=None)] == names


def test_statistics_of_the_target_are_never_used_for_the_source(monkeypatch):
    """The other methods change the features of both domains, so that the source is computed for each candidate."""

    def count_outputs(method):
        collected = []
        monkeypatch.setattr(Domains, "inputs", lambda self, domain: {"validation_data": domain})

        def collect_outputs(learner, domain):
            collected.append(domain)
            return candidates.adaptation.DomainOutputs(np.eye(4), np.eye(4)), np.arange(4)

        monkeypatch.setattr(candidates.adaptation, "collect_outputs", collect_outputs)
        inputs = keras.Input((2,))
        model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.BatchNormalization()(inputs)))
        splits = Splits(None, None, None, ("a", "b"), [])
        settings = ["--adaptation.method", method, "--adaptation.target", "x", "--adaptation.train", "all"]
        config = parse(settings[: 4 if method == "adabn" else 6])
        domains = Domains(config, model, splits, SimpleNamespace(splits=splits), [SimpleNamespace(train="all")])
        domains.score()
        domains.score()
        return collected.count("source"), collected.count("target")

    assert count_outputs("adabn") == (1, 2) and count_outputs("mcc") == (2, 2)
