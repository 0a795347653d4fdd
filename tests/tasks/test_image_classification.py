import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tl_keras.config import DataConfig, ModelConfig, RunConfig
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.tasks import image_classification

TASK = image_classification.ImageClassification()


def write_images(root, per_class, side):
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = generator.integers(0, 256, (side, side, 3)).astype("uint8")
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("backbone", "side", "expected"),
    [
        ("efficientnet_lite0", 400, 224),  # the backbone's own
        ("efficientnet_lite0", 64, 128),  # twice the images
        ("efficientnet_lite0", 70, 160),  # rounded up to a multiple of 32
        ("vgg16", 8, 32),  # the least that the backbone takes
        ("inception_v3", 20, 96),
        ("inception_v3", 400, 299),
        ("keras_hub:some_preset", 20, 224),
    ],
)
def test_small_images_are_enlarged_at_most_twice(backbone, side, expected):
    assert image_classification.choose_image_size(side, backbone) == expected


def test_the_blocks_of_a_run_end_at_the_last_one_that_the_head_reads():
    assert TASK.known_blocks(RunConfig())[-3:] == ["block7", "top", "head"]
    config = RunConfig(model=ModelConfig(head_blocks=["block2", "stem"]), unfreeze_from="block2")
    assert TASK.known_blocks(config) == ["stem", "block1", "block2", "head"]
    TASK.check_sources(config)
    with pytest.raises(InputError, match="unfreeze_from 'block3'.*did you mean 'block"):
        TASK.check_sources(RunConfig(model=ModelConfig(head_blocks=["block2"]), unfreeze_from="block3"))


def test_a_head_of_unknown_blocks_is_refused():
    with pytest.raises(InputError, match="block in model.head_blocks 'block8': did you mean 'block7'"):
        RunConfig(model=ModelConfig(head_blocks=["block7", "block8"]))


def test_a_given_image_size_is_kept(tmp_path):
    data = DataConfig(path=str(write_images(tmp_path, 4, 10)), image_size=48)
    splits = TASK.load_data(RunConfig(data=data))
    assert splits.train.images.shape[1:] == (48, 48, 3)


def test_too_few_images_for_a_test_are_refused_before_training(tmp_path):
    data = DataConfig(path=str(write_images(tmp_path, 1, 10)))
    with pytest.raises(InputError, match="several images of a class"):
        TASK.load_data(RunConfig(data=data))


def test_a_label_budget_changes_the_training_images_only(image_folder):
    full = TASK.load_data(RunConfig(data=DataConfig(path=str(image_folder), validation_fraction=0.15)))
    budget = DataConfig(path=str(image_folder), examples_per_class=2, validation_fraction=0.15)
    small = TASK.load_data(RunConfig(data=budget))
    assert (len(full.train), len(small.train)) == (24, 6)
    assert small.test.names == full.test.names
    assert small.validation.names == full.validation.names


def test_runs_with_other_label_budgets_choose_the_same_image_size(tmp_path):
    # The budget removes large images only.
    write_images(tmp_path / "large", 40, 50)
    write_images(tmp_path / "small", 40, 20)
    for name in ("a", "b"):
        for kind in ("large", "small"):
            split = tmp_path / "set" / ("train" if kind == "large" else "test")
            (split / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / name).rename(split / name)
    configs = [
        RunConfig(data=DataConfig(path=str(tmp_path / "set"), examples_per_class=budget)) for budget in (None, 1)
    ]
    full, few = map(TASK.load_data, configs)
    assert full.train.images.shape[1] == few.train.images.shape[1] and full.typical_side == few.typical_side == 35
    assert TASK.candidate_sizes(configs[0], full) == TASK.candidate_sizes(configs[1], few)


def test_duplicates_in_a_class_folder_are_no_leak(tmp_path):
    write_images(tmp_path, 20, 10)
    for path in sorted((tmp_path / "a").iterdir()):
        shutil.copy(path, path.with_stem(f"copy of {path.stem}"))
    splits = TASK.load_data(RunConfig(data=DataConfig(path=str(tmp_path))))
    assert splits.skipped == [] and len(splits.test) >= 6
    assert any("duplicate others in their split" in note for note in splits.notes)


def test_recipe_auto_holds_out_no_validation_images_of_few_but_of_many(image_folder, monkeypatch):
    config = RunConfig(data=DataConfig(path=str(image_folder)))
    few = TASK.load_data(config)
    monkeypatch.setattr("tl_keras.tasks.classification.FEW_LABELS", 35)
    many = TASK.load_data(config)
    assert (len(few.train), len(few.validation), len(few.test)) == (30, 0, 6)
    assert (len(many.train), len(many.validation), len(many.test)) == (24, 6, 6)
    assert few.test.names == many.test.names


def test_recipe_auto_tries_sizes_from_that_of_the_images_to_the_backbone_s(image_folder):
    config = RunConfig(data=DataConfig(path=str(image_folder)))
    assert TASK.candidate_sizes(config, TASK.load_data(config)) == [96, 160, 224]
    fixed = RunConfig(data=DataConfig(path=str(image_folder), image_size=64))
    assert TASK.candidate_sizes(fixed, TASK.load_data(fixed)) == []


def test_balanced_weights_let_rare_classes_count_as_much(tmp_path):
    root = write_images(tmp_path, 12, 10)
    for number in range(4, 12):
        (root / "a" / f"{number}.png").unlink()
    config = RunConfig(data=DataConfig(path=str(root), class_weight="balanced", validation_fraction=0.15))
    splits = TASK.load_data(config)
    weights = TASK.training_inputs(config, splits, first_epoch=0)["class_weight"]
    counts = np.bincount(splits.train.labels)
    assert counts[0] < counts[1]
    assert weights[0] * counts[0] == pytest.approx(weights[1] * counts[1])


@pytest.mark.parametrize("pooling", ["average", "max", "concat"])
def test_the_head_is_the_configured_one(image_folder, pooling):
    model = ModelConfig(weights="none", pooling=pooling, hidden_units=7, dropout=0.0)
    config = RunConfig(model=model, data=DataConfig(path=str(image_folder), image_size=32))
    built = TASK.build_model(config, TASK.load_data(config))
    assert built.output_shape == (None, 3)
    assert built.get_layer("head.hidden").units == 7
    assert "head.dropout" not in [layer.name for layer in built.layers]
    assert built.class_names == ("blue", "green", "red")


def test_weights_that_are_not_there_are_refused_before_any_work():
    with pytest.raises(InputError, match="No weights at 'imagnet'"):
        TASK.check_sources(RunConfig(model=ModelConfig(weights="imagnet")))
    TASK.check_sources(RunConfig(model=ModelConfig(weights="none")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unfreeze_from": "blok5"}, "Unknown unfreeze_from 'blok5': did you mean 'block5'"),
        ({"unfreeze_from": "head"}, "Unknown unfreeze_from 'head'"),
        ({"phases": [Phase("head"), Phase("block9")]}, "Unknown block 'block9': did you mean 'block"),
        ({"phases": [Phase(["block3", "hed"])]}, "Unknown block 'hed': did you mean 'head'"),
    ],
)
def test_blocks_that_are_not_there_are_refused_before_any_work(settings, message):
    with pytest.raises(InputError, match=message):
        TASK.check_sources(RunConfig(model=ModelConfig(backbone="vgg16", weights="none"), **settings))


@pytest.mark.parametrize("train", ["block5", "head", "all", ["block1", "head"], "regex:bias$"])
def test_blocks_that_are_there_pass(train):
    model = ModelConfig(backbone="vgg16", weights="none")
    TASK.check_sources(RunConfig(model=model, phases=[Phase(train)]))


def test_the_blocks_of_presets_are_known_when_they_are_built_only():
    TASK.check_sources(RunConfig(model=ModelConfig(backbone="keras_hub:x"), unfreeze_from="anything"))


def test_the_model_is_opened_before_keras_is_loaded_with_its_notes():
    code = (
        "import sys\nfrom tl_keras.config import RunConfig\n"
        "from tl_keras.tasks.image_classification import ImageClassification\n"
        "class Run:\n    config = RunConfig()\n    @property\n    def model(self):\n"
        "        print('keras' in sys.modules)\n        sys.exit(0)\n"
        "next(ImageClassification().predict_items(Run(), ['a.png'], None))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False\n", "")
