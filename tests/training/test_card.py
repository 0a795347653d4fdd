from dataclasses import dataclass

import pytest

from tl_keras.config import DataConfig, DetectionConfig, ModelConfig, RunConfig
from tl_keras.training.card import count_examples, run_title


@dataclass
class Trained:
    num_trained: int


@pytest.mark.parametrize(
    ("detector", "backbone", "network"),
    [("faster_rcnn", "resnet50", "faster_rcnn with resnet50"), ("yolo_v8", "yolo_v8_s", "yolo_v8_s")],
)
def test_the_title_names_the_detector(detector, backbone, network):
    config = RunConfig(
        task="object_detection",
        model=ModelConfig(backbone=backbone),
        detection=DetectionConfig(detector=detector),
        data=DataConfig(path="x/boxes"),
    )
    assert run_title(config) == f"{network} on boxes"


@pytest.mark.parametrize(
    ("counts", "trained", "validation"),
    [
        ((85, 15), None, 15),
        ((100, 0), 100, "0, the choices were cross-validated"),
        ((100, 0), 80, "20, taken from the training examples"),
        ((85, 15), 85, 15),
        ((85, 15), 100, "15, trained on after they had made the choices"),
    ],
)
def test_the_card_says_which_examples_the_model_has_learned_from(counts, trained, validation):
    facts = count_examples(*counts, trained and Trained(trained))
    assert facts == {"Training examples": trained or counts[0], "Validation examples": validation}
