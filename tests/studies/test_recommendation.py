import pytest

from tests.studies.probes import NOISE, make_probe, make_recommendation
from tl_keras.config.parsing import parse
from tl_keras.studies.candidate_backbones import find_candidates
from tl_keras.studies.recommendation import recommend
from tl_keras.studies.recommendation_files import summary_lines


def test_a_cheaper_backbone_within_the_noise_is_named():
    best, near, far = make_probe("a", 0.5, 40), make_probe("b", 0.51, 10, NOISE), make_probe("c", 0.6, 5, NOISE)
    recommendation = make_recommendation([best, near, far])
    assert [recommendation.is_tied(probe) for probe in (best, near, far)] == [True, True, False]
    assert recommendation.cheapest_tied is near
    text = "\n".join(summary_lines(recommendation))
    assert "b is tied with a on these labels, and takes 25 % of its time." in text
    assert "| c " in text and text.count("tied with the best") == 1


def test_unfreezing_starts_behind_the_earliest_of_the_best_blocks():
    recommendation = make_recommendation([make_probe("a", 0.5, 40)], stem=0.9, block1=0.6, block2=0.6, top=0.8)
    assert recommendation.informed_block == "block1"
    assert "--unfreeze_from block2" in "\n".join(summary_lines(recommendation))
    rising = make_recommendation([make_probe("a", 0.5, 40)], stem=0.9, top=0.6)
    assert "--unfreeze_from top" in "\n".join(summary_lines(rising))


@pytest.fixture
def config(image_folder):
    flags = {"--data.path": image_folder, "--data.image_size": 32, "--model.weights": "none", "--cache.mode": "off"}
    return parse([str(part) for flag in [*flags.items(), ("--recipe", "auto")] for part in flag])


@pytest.mark.usefixtures("small_network", "eager")
def test_backbones_are_ranked_and_those_without_weights_left_out(config, tmp_path, capsys):
    recommendation = recommend(find_candidates(config, ["vgg16", "keras_hub:no/folder", "vgg16"]), 1, tmp_path)
    (probe,) = recommendation.probes
    assert (probe.name, probe.image_size, probe.metrics["examples"]) == ("vgg16", 32, len(probe.held_out.losses))
    assert probe.milliseconds > 0 and probe.parameters > 100 and probe.activation_bytes > 32 * 32 * 4
    assert "there is no folder" in recommendation.skipped["keras_hub:no/folder"]
    assert "keras_hub:no/folder is left out: " in capsys.readouterr().out.splitlines()[0]
    assert 0 <= recommendation.verified["vgg16"] <= 1
