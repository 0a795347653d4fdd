import shutil

import numpy as np
import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.label_check import check_labels


def check_flags(folder):
    flags = ["--data.path", str(folder), "--data.image_size", "32", "--model.weights", "none"]
    return parse([*flags, "--recipe", "auto", "--cache.mode", "off"])


@pytest.mark.usefixtures("small_network")
def test_images_in_the_wrong_folder_are_found_in_every_split(image_folder, tmp_path):
    folder = tmp_path / "images"
    shutil.copytree(image_folder, folder)
    (folder / "red" / "red-03.png").rename(folder / "blue" / "wrong.png")
    check = check_labels(check_flags(folder))
    assert len(check.labels) == 36 == len(check.splits) == len(check.cells)
    assert {"train", "test"} <= set(check.splits)
    first = check.cells[check.errors.rows[0]][0]
    assert first == "blue/wrong.png" and check.class_names[check.errors.suggested[0]] == "red"
    assert check.errors.confident[0] and (("blue", "red"), 1) in check.confusions
    np.testing.assert_allclose(check.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.usefixtures("small_network")
def test_test_images_are_checked_at_the_size_of_the_backbone(image_folder):
    flags = ["--data.path", str(image_folder), "--model.weights", "none", "--recipe", "auto", "--cache.mode", "off"]
    check = check_labels(parse(flags))
    assert len(check.labels) == 36 and "test" in check.splits


@pytest.mark.usefixtures("small_network")
def test_classes_with_one_example_each_are_refused(image_folder, tmp_path):
    for name in ("red", "blue", "green"):
        (tmp_path / "few" / "train" / name).mkdir(parents=True)
        shutil.copy(image_folder / name / f"{name}-00.png", tmp_path / "few" / "train" / name)
    with pytest.raises(InputError):
        check_labels(check_flags(tmp_path / "few"))


def test_several_labels_and_recipes_that_train_are_refused(image_folder):
    config = parse(["--data.path", str(image_folder), "--data.multi_label", "true"])
    with pytest.raises(InputError, match="one label per example"):
        check_labels(config)
    config = parse(["--data.path", str(image_folder), "--epochs", "3"])
    with pytest.raises(InputError, match="trains no network, but the recipe is progressive_unfreezing"):
        check_labels(config)
