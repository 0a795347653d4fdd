import pytest

from tl_keras.config.parsing import parse
from tl_keras.training.candidates import list_candidates


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
