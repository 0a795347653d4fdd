from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras.config import DataConfig, RunConfig
from tl_keras.data.images.image_sets import ImageSet
from tl_keras.errors import InputError
from tl_keras.tasks.report_examples import (
    MAX_CHARACTERS,
    count_classes,
    explain_or_none,
    image_sheet,
    show_image,
    show_text,
    text_sheet,
)

NAMES = ("cat", "dog")
IMAGES = ImageSet(np.zeros((3, 8, 8, 3), "uint8"), np.array([0, 1, 1], "int32"), ["a.png", "b.png", "c.png"], NAMES)
SEVERAL = ImageSet(IMAGES.images, np.array([[1, 1], [0, 0], [0, 1]], "uint8"), IMAGES.names, NAMES)
SCORES = np.array([[0.2, 0.8], [0.1, 0.9], [0.3, 0.7]], "float32")


def test_counts_the_examples_of_each_class_and_split():
    found = count_classes({"training": [0, 1, 1], "validation": [], "test": np.array([1])}, NAMES)
    assert found["splits"] == ["training", "test"]
    assert found["rows"] == [("dog", [2, 1]), ("cat", [1, 0]), ("Sum", [3, 1])]
    several = count_classes({"training": SEVERAL.labels}, NAMES)
    assert several["rows"] == [("dog", [2]), ("cat", [1]), ("Sum", [3])]


def test_many_classes_are_summed_up(monkeypatch):
    monkeypatch.setattr("tl_keras.tasks.report_examples.MAX_COUNTED", 1)
    rows = count_classes({"training": [0, 1, 1, 2]}, (*NAMES, "emu"))["rows"]
    assert rows == [("dog", [2]), ("… and 2 more classes", [2]), ("Sum", [4])]


def config_with(augmentation):
    return RunConfig(data=DataConfig(path="x", augmentation=augmentation))


def test_training_images_are_shown_as_they_are_without_augmentation():
    tiles, note = image_sheet(config_with("none"), IMAGES)
    assert [tile.lines for tile in tiles] == [("cat", "a.png"), ("dog", "b.png"), ("dog", "c.png")]
    assert note == "Evenly spread, 8 × 8 pixels, without augmentation."


@pytest.mark.parametrize(("augmentation", "shares"), [("light", False), ("mixup", True)])
def test_training_images_are_shown_with_their_augmentation(augmentation, shares):
    tiles, note = image_sheet(config_with(augmentation), IMAGES)
    assert len(tiles) == 3 and note.endswith(f"with the augmentation {augmentation}.")
    assert all(tile.images[0].startswith("data:image/jpeg") for tile in tiles)
    assert any("%" in tile.lines[0] for tile in tiles) == shares


def test_an_image_has_its_class_its_prediction_and_its_explanation():
    tile = show_image(IMAGES, SCORES, 0, np.zeros((8, 8, 3), "uint8"))
    assert tile.lines == ("cat", "→ dog 80%", "a.png") and tile.is_mistake and len(tile.images) == 2
    assert not show_image(IMAGES, SCORES, 1).is_mistake


def test_an_image_of_several_classes_names_them_all():
    assert show_image(SEVERAL, SCORES, 0).lines[:2] == ("cat, dog", "→ dog 80%")
    assert show_image(SEVERAL, SCORES, 1).lines[0] == "none" and show_image(SEVERAL, SCORES, 1).is_mistake
    assert show_image(SEVERAL, np.zeros((3, 2)), 1).lines[1] == "→ none"
    assert not show_image(SEVERAL, SCORES, 2).is_mistake


def test_texts_are_cut_and_pairs_joined():
    texts = SimpleNamespace(texts=[("so", "x" * 500)], labels=np.array([1]), class_names=NAMES)
    tile = show_text(texts, np.array([[0.4, 0.6]]), 0, [("so", 0.1, 70)])
    assert tile.text.startswith("so | xxx") and len(tile.text) == MAX_CHARACTERS + 2
    assert tile.lines == ("dog", "→ dog 60%") and tile.words == (("so", 0.1, 70),)


def test_training_texts_have_the_number_of_their_tokens():
    texts = SimpleNamespace(
        texts=["so", "so", "no"],
        labels=np.array([1, 1, 0]),
        class_names=NAMES,
        lengths=[3, 4, 5],
        first_rows=np.array([0, 2]),
    )
    tiles, note = text_sheet(RunConfig(), texts)
    assert [(tile.lines, tile.text) for tile in tiles] == [(("dog", "3 tokens"), "so"), (("cat", "5 tokens"), "no")]
    assert "tokens are read at once" in note


def test_a_network_that_cannot_be_explained_shows_its_mistakes_without():
    def explain():
        raise InputError("no feature map")

    assert explain_or_none(explain) is None
    assert explain_or_none(lambda: [1]) == [1]
