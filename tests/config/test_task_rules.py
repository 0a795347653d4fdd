import pytest

from tl_keras.config import DataConfig, DetectionConfig, ModelConfig, RunConfig, TextConfig
from tl_keras.errors import InputError


def test_the_defaults_are_valid():
    config = RunConfig(recipe="progressive_unfreezing")
    assert config.data == DataConfig(path="emoji", augmentation="light", resize="stretch", validation_fraction=0.15)
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


@pytest.mark.parametrize("backbone", ["vgg16", "keras_hub:some_preset"])
def test_image_backbones_pass_by_name_and_presets_unchecked(backbone):
    assert RunConfig(model=ModelConfig(backbone=backbone)).model.backbone == backbone


def test_the_folder_of_an_image_preset_gets_its_prefix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("my_net", "vgg16", "minilm"):
        (tmp_path / name).mkdir()
    chosen = {name: ModelConfig(backbone=name) for name in ("my_net", str(tmp_path / "my_net"), "vgg16")}
    prefixed = {name: RunConfig(model=model).model.backbone for name, model in chosen.items()}
    assert list(prefixed.values()) == ["keras_hub:./my_net", f"keras_hub:{tmp_path}/my_net", "vgg16"]
    with pytest.raises(InputError, match="minilm is for texts"):
        RunConfig(model=ModelConfig(backbone="minilm"))


@pytest.mark.parametrize("backbone", ["minilm", "roberta_base_en", "./my_bert", "keras_hub:some_preset"])
def test_text_encoders_pass_by_name_and_by_folder(backbone):
    config = RunConfig(task="text_classification", model=ModelConfig(backbone=backbone))
    assert config.model.backbone == backbone


@pytest.mark.parametrize(
    ("task", "parts", "telling"),
    [
        ("image_classification", {"model": ModelConfig(backbone="vgg61")}, "Unknown .* 'vgg61': did you mean 'vgg19'"),
        ("text_classification", {"model": ModelConfig(backbone="vgg16")}, "vgg16 is for images"),
        ("image_classification", {"model": ModelConfig(backbone="minilm")}, "minilm is for texts"),
        (
            "image_classification",
            {"model": ModelConfig(backbone="./my_net")},
            "there is no folder './my_net'",
        ),
        ("text_classification", {"model": ModelConfig(pooling="max")}, "model.pooling max is for images"),
        ("image_classification", {"model": ModelConfig(pooling="first")}, "model.pooling first is for texts"),
        ("text_classification", {"data": DataConfig(augmentation="light")}, "augmentation light is not for text_class"),
        ("image_classification", {"data": DataConfig(augmentation="mosaic")}, "mosaic is not for image_class"),
        ("image_classification", {"data": DataConfig(max_train_images=3)}, "give data.examples_per_class"),
        ("object_detection", {"data": DataConfig(augmentation="cutmix")}, "take none or light or mosaic"),
        ("object_detection", {"data": DataConfig(examples_per_class=3)}, "data.examples_per_class has no effect"),
        ("object_detection", {"data": DataConfig(resize="crop")}, "crop would cut boxes off"),
        ("object_detection", {"model": ModelConfig(dropout=0.2)}, "model.dropout has no effect on object_detection"),
        (
            "object_detection",
            {"model": ModelConfig(head_blocks="all")},
            "model.head_blocks has no effect on object_det",
        ),
        ("object_detection", {"model": ModelConfig(backbone="minilm")}, "minilm is for texts"),
        ("text_classification", {"data": DataConfig(image_size=64)}, "data.image_size has no effect on text_class"),
        ("text_classification", {"data": DataConfig(path_column="file")}, "data.path_column has no effect"),
        ("image_classification", {"text": TextConfig(max_tokens=64)}, "text.max_tokens has no effect on image_class"),
        (
            "text_classification",
            {"detection": DetectionConfig(detector="yolo_v8")},
            "detection.detector has no effect on text_class",
        ),
        ("object_detection", {"recipe": "few_shot"}, "few_shot compares whole images"),
    ],
)
def test_what_belongs_to_another_task_is_refused(task, parts, telling):
    with pytest.raises(InputError, match=telling):
        RunConfig(task=task, **parts)
