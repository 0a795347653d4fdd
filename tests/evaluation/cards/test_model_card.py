import ast
import re

import numpy as np
import pytest
from PIL import Image, ImageOps

from tl_keras.data.images.decoding import read_image
from tl_keras.data.images.resizing import CROP, RESIZE_CALLS, RESIZES
from tl_keras.evaluation.cards.model_card import write_model_card
from tl_keras.evaluation.classification import classification_metrics

METRICS = classification_metrics([0, 0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]], ["cat", "dog"])


@pytest.fixture
def card(tmp_path):
    """Function that writes a model card and returns its text; arguments replace the defaults."""

    def write(**parts):
        defaults = {
            "title": "Pets",
            "model": {"Backbone": "vgg16", "Parameters": 4650000},
            "data": {"Training examples": None},
            "metrics": METRICS,
            "class_names": ["cat", "dog"],
            "image_size": 96,
            "resize_call": RESIZE_CALLS[CROP],
        }
        write_model_card(tmp_path / "card.md", **(defaults | parts))
        return (tmp_path / "card.md").read_text(encoding="utf-8")

    return write


def code(text):
    return re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)


def test_the_card_describes_model_data_and_metrics(card):
    text = card(limits=["Not for wolves."])
    assert text.startswith("---\nlibrary_name: keras\n") and "\n---\n\n# Pets\n" in text
    assert "An image classifier for 2 classes.\n" in text
    assert "| Backbone | vgg16 |\n| Parameters | 4,650,000 |\n" in text
    assert "| Training examples | – |\n" in text
    assert "| Accuracy | 75.0 % |  |\n" in text
    assert "Weakest classes by recall: cat (50 %, 9 to 91 %), dog (100 %, 34 to 100 %)." in text
    assert text.endswith("\n- Not for wolves.\n")


def test_the_card_shows_intervals_baselines_and_calibration(card):
    baseline = {"name": "a | b", "accuracy": 0.25, "intervals": {"accuracy": [0.1, 0.5]}, "seconds": 1.234}
    metrics = METRICS | {"intervals": {"accuracy": [0.301, 0.954]}}
    text = card(metrics=metrics, baselines=[baseline], verdict=["It is above."])
    assert "| Accuracy | 75.0 % | 30.1 % to 95.4 % |\n" in text
    assert "\nIntervals are at 95 %" in text and "\nCalibration error 0.400: " in text
    assert (
        "| Model | Accuracy | CPU seconds |\n|---|---|---|\n| this network | 75.0 % (30.1 % to 95.4 %) | – |\n" in text
    )
    assert "\n| a \\| b | 25.0 % (10.0 % to 50.0 %) | 1.2 |\n\nIt is above.\n" in text
    assert "Simple models" not in card() and "Intervals" not in card()


def test_the_card_names_classes_that_were_not_tested(card):
    metrics = classification_metrics([0, 1], np.eye(3)[:2], ["cat", "dog", "<b>cow"])
    text = card(metrics=metrics, class_names=["cat", "dog", "<b>cow"])
    assert "\nThe figures are for 2 of 3 classes: there is no tested example of \\<b>cow.\n" in text
    assert "no tested example" not in card()


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("multi_label", [False, True])
def test_usage_code_needs_no_tl_keras(card, resize, multi_label):
    program = code(card(resize_call=RESIZE_CALLS[resize], multi_label=multi_label, model_file='my "best".keras'))
    nodes = list(ast.walk(ast.parse(program)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"json", "zipfile", "keras", "numpy"}
    assert RESIZE_CALLS[resize] in program
    assert ("score >= 0.5" in program) == multi_label
    assert [node.value for node in nodes if isinstance(node, ast.Constant)].count('my "best".keras') == 2


@pytest.mark.parametrize("finds_boxes", [False, True])
@pytest.mark.parametrize("resize", RESIZES)
def test_usage_code_reads_images_as_in_training(card, tmp_path, resize, finds_boxes):
    pixels = np.random.default_rng(0).integers(0, 256, (50, 30, 4), "uint8")
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    metrics = METRICS | {"score_threshold": 0.5}
    text = code(card(resize_call=RESIZE_CALLS[resize], image_size=24, finds_boxes=finds_boxes, metrics=metrics))
    lines = [line for line in text.splitlines() if line.startswith(("size", "image"))]
    program = "\n".join(lines).replace("photo.jpg", str(tmp_path / "photo.png"))
    names = {"Image": Image, "ImageOps": ImageOps}
    exec(program, names)
    np.testing.assert_array_equal(np.asarray(names["image"]), read_image(tmp_path / "photo.png", 24, resize))


def test_names_cannot_break_the_table(card):
    text = card(model={"a|b": "<script>\n|"}, class_names=["*bold*", "snake_case"])
    assert "| a\\|b | \\<script> \\| |\n" in text
    assert "Classes: \\*bold\\*, snake_case." in text


def test_names_do_not_control_a_terminal(card):
    text = card(title="a\x1b[2J", class_names=["\x9bb", "\u202ec"], data_name="\u202ed")
    assert not set(text) & set("\x1b\x9b\u202e") and "Classes: �b, �c." in text


def test_classes_without_test_examples_are_not_called_weak(card):
    metrics = classification_metrics([0], [[0.9, 0.1]], ["cat", "dog"])
    assert "Weakest classes by recall: cat (100 %, 21 to 100 %)." in card(metrics=metrics)


def test_usage_code_of_a_detector_needs_tensorflow_alone(card):
    metrics = {"average_precision_50": 0.75, "score_threshold": 0.99995}
    text = card(finds_boxes=True, metrics=metrics)
    nodes = list(ast.walk(ast.parse(code(text))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"numpy", "tensorflow"}
    assert 'tf.saved_model.load("saved_model")' in text and "score >= 0.99995" in text
    assert "| mAP 50 | 0.750 |  |" in text and "\n# Pets\n\nA detector that finds cat, dog" in text


ACTIVE = ["@name", "name@example.org", "https://example.org", "www.example.org", "~~struck~~", "$$x$$", "#1"]


@pytest.mark.parametrize("name", ACTIVE)
def test_names_become_neither_links_nor_mentions_nor_formulas(name, card):
    assert f"Classes: a `{name}` b, c." in card(class_names=[f"a {name} b", "c"])


def test_code_of_a_name_ends_where_the_name_ends(card):
    assert "Classes: ``` ``@x`\\| ```, c." in card(class_names=["``@x`|", "c"])
