import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.backbone_probes import LABELLED, cpu_seconds, load_for_backbone, probe_backbone
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.transfer.activations.frozen_part import FrozenPart


def test_images_are_loaded_at_the_size_of_the_backbone(image_folder):
    config = parse(["--data.path", str(image_folder), "--model.backbone", "efficientnet_lite1"])
    splits = TASKS[config.task].load_data(config)
    sized, resized = load_for_backbone(config, splits)
    assert sized.data.image_size == 240
    assert resized.train.images[0].shape == (240, 240, 3)
    assert resized.train.labels.tolist() == splits.train.labels.tolist()
    assert len(resized.test) == len(splits.test) > 0
    _, labelled = load_for_backbone(config, splits, LABELLED)
    assert len(labelled.train) == len(splits.train) and not len(labelled.test)


def test_images_of_a_given_size_are_not_decoded_again(image_folder):
    config = parse(["--data.path", str(image_folder), "--data.image_size", "48"])
    splits = TASKS[config.task].load_data(config)
    sized, same = load_for_backbone(config, splits)
    assert sized == config
    assert same is splits


@pytest.mark.usefixtures("small_network")
def test_every_block_is_measured_on_the_same_held_out_examples(image_folder):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--model.weights", "none"]
    config = parse([*flags, "--recipe", "auto", "--cache.mode", "off"])
    splits = TASKS[config.task].load_data(config)
    probe, measure_blocks = probe_backbone(config, splits)
    losses = measure_blocks()
    assert len(losses) > 1
    assert len({len(values) for values in losses.values()}) == 1
    assert len(probe.held_out.losses) == len(splits.train)
    assert probe.neighbour_accuracy > 0.8, "the classes are three colours"
    assert probe.held_out.feature_set.name == "all blocks (averages and maxima)"


@pytest.mark.usefixtures("small_network")
def test_the_pass_that_computes_the_features_is_timed(image_folder, monkeypatch):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--model.weights", "none"]
    config = parse([*flags, "--recipe", "auto", "--cache.mode", "off", "--data.batch_size", "4"])
    splits = TASKS[config.task].load_data(config)
    monkeypatch.setattr(FrozenPart, "measure_seconds", None)
    reader = FeatureReader(config, splits)
    reader.read(splits.train)
    assert 0 < cpu_seconds(config, reader, splits) < 10


@pytest.mark.usefixtures("small_network")
def test_classes_with_one_example_each_are_refused(image_folder):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--model.weights", "none"]
    config = parse([*flags, "--recipe", "auto", "--cache.mode", "off", "--data.examples_per_class", "1"])
    with pytest.raises(InputError, match="No class has a second labelled example"):
        probe_backbone(config, TASKS[config.task].load_data(config))
