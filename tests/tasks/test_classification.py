import numpy as np
import pytest

from tl_keras.config import DataConfig, ModelConfig, RunConfig
from tl_keras.data import ImageSet, Splits
from tl_keras.tasks.classification import class_weights, head_settings, most_probable
from tl_keras.tasks.image_classification import ImageClassification

EXAMPLES = ImageSet(np.zeros((4, 1, 1, 3), "uint8"), np.array([0, 0, 0, 1], "int32"), list("wxyz"), ("a", "b"))


@pytest.mark.parametrize(("mode", "expected"), [("none", None), ("balanced", {0: 2 / 3, 1: 2.0})])
def test_rare_classes_weigh_more_where_that_is_asked_for(mode, expected):
    config = RunConfig(data=DataConfig(class_weight=mode))
    assert class_weights(config, EXAMPLES) == pytest.approx(expected)


def test_the_most_probable_classes_come_first():
    probabilities = np.array([0.2, 0.5, 0.3], "float32")
    assert most_probable(probabilities, ("a", "b", "c"), 2) == [("b", 0.5), ("c", pytest.approx(0.3))]


def test_both_builders_take_the_settings_of_the_head():
    settings = head_settings(RunConfig(recipe="fine_tuning"), ("a", "b"))
    assert (settings["weights"], settings["pooling"], settings["dropout"]) == ("imagenet", "average", 0.2)
    assert (settings["head_blocks"], settings["class_names"]) == ("last", ("a", "b"))
    assert head_settings(RunConfig(model=ModelConfig(head_blocks="all")), ("a", "b"))["head_blocks"] == "all"


def test_the_network_is_compared_with_the_majority_class_on_the_test_examples():
    splits = Splits(train=EXAMPLES, validation=EXAMPLES, test=EXAMPLES, class_names=("a", "b"))
    compared = ImageClassification().compare_with_baselines(
        RunConfig(), splits, np.eye(2)[[0, 0, 0, 1]], {"accuracy": 1.0}
    )
    (majority,) = compared["baselines"]
    assert (majority["name"], majority["accuracy"]) == ("majority class", 0.75)
    assert "25.0 points of accuracy above the best baseline, majority class" in compared["verdict"][0]
