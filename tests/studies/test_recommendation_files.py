import json

import pytest

from tests.studies.probes import NOISE, make_probe, make_recommendation
from tl_keras.config.parsing import parse
from tl_keras.studies.recommendation_files import summary_lines, write_recommendation


@pytest.mark.parametrize(("accuracies", "verdict"), [((0.9, 0.8), "the order held"), ((0.8, 0.9), "did not hold")])
def test_fine_tuning_confirms_the_order_or_not(accuracies, verdict):
    probes = [make_probe("a", 0.5, 40), make_probe("b", 0.6, 10)]
    verified = dict(zip("ab", accuracies, strict=True))
    assert verdict in "\n".join(summary_lines(make_recommendation(probes, verified=verified)))


def test_a_single_verified_backbone_has_no_order():
    text = "\n".join(summary_lines(make_recommendation([make_probe("a", 0.5, 40)], verified={"a": 0.9})))
    assert "Fine-tuned, accuracy on the validation examples: a 0.900." in text


def test_the_best_block_is_named_beside_an_earlier_one_that_is_tied_with_it():
    recommendation = make_recommendation([make_probe("a", 0.5, 40)], stem=0.9, block1=0.5, block2=0.5, top=0.6)
    recommendation.block_losses["block1"] = 0.51 + NOISE
    text = "\n".join(summary_lines(recommendation))
    assert "a head on block2 alone has the lowest log-loss, and block1 is the earliest that is tied with it" in text
    assert "after block1, give `--recipe progressive_unfreezing --unfreeze_from block2`" in text


def test_the_earliest_block_is_named_once_where_it_is_the_best():
    text = "\n".join(summary_lines(make_recommendation([make_probe("a", 0.5, 40)], stem=0.9, block1=0.5, top=0.6)))
    assert "a head on block1 alone has the lowest log-loss: to fine-tune what comes after block1, give" in text


def test_left_out_backbones_and_an_only_one_are_named():
    text = "\n".join(summary_lines(make_recommendation([make_probe("a", 0.5, 40)], {"z": "no weights"})))
    assert "a is the only backbone, so there is nothing to choose." in text
    assert "z was left out: no weights" in text


def test_the_configuration_trains_on_the_best_backbone(tmp_path):
    recommendation = make_recommendation([make_probe("vgg16", 0.5, 40), make_probe("resnet50", 0.6, 10)])
    config = parse(["--data.path", "photos", "--seed", "3", "--run", "other"])
    paths = write_recommendation(recommendation, config, tmp_path / "new")
    names = ["recommendation.md", "recommendation.json", "recommendation.png", "train.yaml"]
    assert [path.name for path in paths if path.stat().st_size] == names
    figures = json.loads((tmp_path / "new" / "recommendation.json").read_text())
    assert [backbone["tied_with_best"] for backbone in figures["backbones"]] == [True, False]
    trained = parse(["--config", str(tmp_path / "new" / "train.yaml")])
    assert (trained.model.backbone, trained.recipe, trained.seed, trained.run) == ("vgg16", "auto", 3, None)
