import math

import pytest

from tl_keras.config import (
    CacheConfig,
    DataConfig,
    DetectionConfig,
    ModelConfig,
    OptimizerConfig,
    RunConfig,
    TextConfig,
    check_keys,
    flag_names,
)
from tl_keras.errors import InputError
from tl_keras.phases import Phase


def test_the_defaults_are_valid():
    config = RunConfig()
    assert config.data == DataConfig(path="emoji", augmentation="light", resize="squash")
    usual = {"backbone": "efficientnet_lite0", "weights": "imagenet", "pooling": "average", "dropout": 0.2}
    assert config.model == ModelConfig(**usual)


def test_a_task_brings_its_own_defaults_and_leaves_what_is_given():
    config = RunConfig(task="text_classification")
    assert (config.data.path, config.data.augmentation) == ("reviews", "none")
    assert (config.model.backbone, config.model.weights, config.model.pooling) == ("minilm", "pretrained", None)
    given = RunConfig(task="text_classification", model=ModelConfig(backbone="bert_tiny_en_uncased", weights="none"))
    assert (given.model.backbone, given.model.weights) == ("bert_tiny_en_uncased", "none")


@pytest.mark.parametrize(
    ("detector", "backbone", "weights"),
    [
        ("faster_rcnn", "efficientnet_lite0", "imagenet"),
        ("yolo_v8", "yolo_v8_s", "coco"),
        ("d_fine", "d_fine_small", "coco"),
    ],
)
def test_a_detector_brings_its_own_defaults(detector, backbone, weights):
    config = RunConfig(task="object_detection", detection=DetectionConfig(detector=detector))
    assert (config.data.path, config.data.resize, config.data.augmentation) == ("tree_crowns", "pad", "light")
    assert (config.model.backbone, config.model.weights) == (backbone, weights)


def test_a_detector_that_comes_whole_has_the_backbone_of_its_weights():
    config = RunConfig(
        task="object_detection", detection=DetectionConfig(detector="retinanet"), model=ModelConfig(weights="coco")
    )
    assert config.model.backbone == "resnet50"


@pytest.mark.parametrize("backbone", ["minilm", "roberta_base_en", "./my_bert", "keras_hub:some_preset"])
def test_text_encoders_pass_by_name_and_by_folder(backbone):
    config = RunConfig(task="text_classification", model=ModelConfig(backbone=backbone))
    assert config.model.backbone == backbone


@pytest.mark.parametrize(
    ("task", "parts", "telling"),
    [
        ("text_classification", {"model": ModelConfig(backbone="vgg16")}, "vgg16 is for images"),
        ("image_classification", {"model": ModelConfig(backbone="minilm")}, "minilm is for texts"),
        ("image_classification", {"model": ModelConfig(backbone="./my_bert")}, "Unknown model.backbone './my_bert'"),
        ("text_classification", {"model": ModelConfig(pooling="max")}, "model.pooling max is for images"),
        ("image_classification", {"model": ModelConfig(pooling="first")}, "model.pooling first is for texts"),
        ("text_classification", {"data": DataConfig(augmentation="light")}, "augmentation light is not for text_class"),
        ("image_classification", {"data": DataConfig(augmentation="mosaic")}, "mosaic is not for image_class"),
        ("image_classification", {"data": DataConfig(max_train_images=3)}, "give data.examples_per_class"),
        ("object_detection", {"data": DataConfig(augmentation="cutmix")}, "take none or light or mosaic"),
        ("object_detection", {"data": DataConfig(examples_per_class=3)}, "data.examples_per_class is for classif"),
        ("object_detection", {"data": DataConfig(resize="crop")}, "crop would cut boxes off"),
        ("object_detection", {"model": ModelConfig(dropout=0.2)}, "model.dropout is for classification"),
        ("object_detection", {"model": ModelConfig(backbone="minilm")}, "minilm is for texts"),
        ("object_detection", {"recipe": "few_shot"}, "few_shot compares whole images"),
    ],
)
def test_what_belongs_to_another_task_is_refused(task, parts, telling):
    with pytest.raises(InputError, match=telling):
        RunConfig(task=task, **parts)


@pytest.mark.parametrize(
    ("config_class", "values", "telling"),
    [
        (DataConfig, {"path": ""}, "data.path is empty"),
        (TextConfig, {"max_tokens": 7}, "text.max_tokens must be at least 8: got 7"),
        (TextConfig, {"windows": 0}, "text.windows must be at least 1: got 0"),
        (TextConfig, {"windows": 2, "second_text_column": "b"}, "text.windows is 2, but pairs of texts are not split"),
        (TextConfig, {"tokens_per_batch": 0}, "text.tokens_per_batch must be at least 1"),
        (DataConfig, {"image_size": 31}, "data.image_size must be at least 32: got 31"),
        (DataConfig, {"batch_size": 0}, "data.batch_size must be at least 1: got 0"),
        (DataConfig, {"examples_per_class": 0}, "data.examples_per_class must be at least 1"),
        (DataConfig, {"validation_fraction": 0.5}, "data.validation_fraction must lie between 0 and 0.5: got 0.5"),
        (DataConfig, {"test_fraction": 0.0}, "data.test_fraction must lie"),
        (DataConfig, {"max_decoded_gigabytes": math.nan}, "data.max_decoded_gigabytes"),
        (DataConfig, {"max_bad_files": 1.5}, "data.max_bad_files must lie from 0 to 1: got 1.5"),
        (DataConfig, {"multi_label": True, "class_weight": "balanced"}, "class_weight balanced needs one label"),
        (ModelConfig, {"backbone": "vgg61"}, "Unknown model.backbone 'vgg61': did you mean"),
        (ModelConfig, {"hidden_units": 0}, "model.hidden_units must be at least 1"),
        (ModelConfig, {"dropout": 1.0}, "model.dropout must lie from 0 to below 1: got 1.0"),
        (ModelConfig, {"label_smoothing": math.nan}, "model.label_smoothing"),
        (DetectionConfig, {"channels": 4}, "detection.channels must be at least 8: got 4"),
        (DetectionConfig, {"score_threshold": 1.5}, "detection.score_threshold must lie from 0 to 1"),
        (DetectionConfig, {"anchor_sizes": []}, "detection.anchor_sizes must be numbers above 0"),
        (DetectionConfig, {"box_columns": ["a", "b"]}, "detection.box_columns must be 4 columns"),
        (DetectionConfig, {"detector": "yolo_v8", "anchor_sizes": [8.0]}, "anchor_sizes is not for yolo_v8"),
        (RunConfig, {"phases": []}, "empty list of phases"),
        (RunConfig, {"phases": [Phase("head")], "epochs": 3}, "epochs shapes a recipe, but phases are given"),
        (RunConfig, {"phases": [Phase("head")], "learning_rate": 0.1}, "learning_rate shapes a recipe"),
        (RunConfig, {"phases": [Phase("head")], "unfreeze_from": "block5"}, "unfreeze_from shapes a recipe"),
        (RunConfig, {"epochs": 0}, "epochs must be at least 1: got 0"),
        (RunConfig, {"seed": -1}, "seed must be at least 0"),
        (RunConfig, {"seed": 2**32}, "seed must be at most 4294967295"),
        (RunConfig, {"learning_rate": 0.0}, "learning_rate must be above 0"),
        (RunConfig, {"learning_rate": math.inf}, "learning_rate must be above 0: got inf"),
        (OptimizerConfig, {"weight_decay": -1.0}, "weight_decay must be 0 or more"),
        (OptimizerConfig, {"weight_decay": math.inf}, "weight_decay must be 0 or more: got inf"),
    ],
)
def test_what_no_run_could_use_is_refused_by_name(config_class, values, telling):
    with pytest.raises(InputError, match=telling):
        config_class(**values)


@pytest.mark.parametrize("backbone", ["vgg16", "keras_hub:some_preset"])
def test_known_backbones_and_presets_pass(backbone):
    assert ModelConfig(backbone=backbone).backbone == backbone


@pytest.mark.parametrize(
    ("mapping", "telling"),
    [
        ({"dta": {}}, "Unknown configuration key 'dta': did you mean 'data'"),
        ({"data": {"batchsize": 3}}, "'data.batchsize': did you mean 'data.batch_size'"),
        ({"phases": [{"train": "head"}, {"epoch": 3}]}, "did you mean 'phases\\[2\\].epochs'"),
        ({1: 2}, "Unknown configuration key '1'"),
        ({"data": None}, "data must be a mapping of keys to values: got None"),
        ({"phases": ["head"]}, "phases\\[1\\] must be a mapping of keys to values: got 'head'"),
        ([1], "The configuration must be a mapping"),
        (None, "The configuration must be a mapping"),
    ],
)
def test_unknown_keys_are_refused_at_every_depth(mapping, telling):
    with pytest.raises(InputError, match=telling):
        check_keys(mapping)


@pytest.mark.parametrize(
    "mapping", [{}, {"data": {"path": "x"}, "phases": [{"train": "head"}]}, {"phases": None}, {"epochs": "x"}]
)
def test_known_keys_pass_whatever_their_values(mapping):
    check_keys(mapping)


def test_every_field_has_a_flag():
    flags = flag_names()
    assert {"--task", "--data", "--data.batch_size", "--model.backbone", "--phases", "--run"} <= set(flags)
    assert len(flags) == len(set(flags))


def test_an_image_size_that_no_memory_holds_is_refused():
    with pytest.raises(InputError, match="at most 4096 pixels"):
        DataConfig(image_size=1_000_000)


@pytest.mark.parametrize(
    ("data", "cache", "message"),
    [
        (DataConfig(augmentation="none"), CacheConfig(views=2), "cache.views=2 keeps augmented versions"),
        (DataConfig(augmentation="light"), CacheConfig(mode="on"), "give cache.views"),
    ],
)
def test_a_cache_that_could_not_work_is_refused(data, cache, message):
    with pytest.raises(InputError, match=message):
        RunConfig(data=data, cache=cache)


@pytest.mark.parametrize("setting", [{"views": 0}, {"max_gigabytes": 0}, {"max_gigabytes": float("inf")}])
def test_cache_numbers_out_of_range_are_refused(setting):
    with pytest.raises(InputError, match=f"cache.{next(iter(setting))}"):
        CacheConfig(**setting)


def test_a_folder_of_activations_in_memory_is_refused():
    with pytest.raises(InputError, match=r"cache\.folder 'here' lies on the disk"):
        CacheConfig(storage="memory", folder="here")


@pytest.mark.parametrize(
    ("values", "telling"),
    [({"clip_norm": 0.0}, "clip_norm"), ({"accumulation_steps": 0}, "accumulation"), ({"ema_momentum": 1.0}, "ema_")],
)
def test_an_optimizer_that_could_not_step_is_refused(values, telling):
    with pytest.raises(InputError, match=telling):
        OptimizerConfig(**values)


def test_a_time_that_is_none_is_refused():
    with pytest.raises(InputError, match="'soon' is no duration"):
        RunConfig(max_time="soon")


@pytest.mark.parametrize(
    "settings",
    [{"recipe": "few_shot"}, {"phases": [Phase(["layer1"], objective="contrastive")]}],
)
def test_examples_of_several_labels_are_not_compared(settings):
    with pytest.raises(InputError, match="few_shot compares examples of one label each"):
        RunConfig(data=DataConfig(multi_label=True), **settings)


@pytest.mark.parametrize(
    "phases",
    [
        "evil.Class",
        "[{train: head, until: {class_path: evil.Class}}]",
        {"class_path": "evil.Class"},
        ["evil.Class"],
        [{"class_path": "evil.Class"}],
        [{"train": "head", "until": "evil.Class"}],
        [{"train": "head", "until": {"class_path": "evil.Class", "init_args": {}}}],
    ],
)
def test_the_name_of_a_class_is_never_taken_for_phases(phases):
    with pytest.raises(InputError, match="expected list|must be a mapping|Unknown configuration key"):
        check_keys({"phases": phases})
