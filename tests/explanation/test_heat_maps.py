from PIL import Image

from tests.explanation.explanation_cases import image_explanation
from tl_keras.explanation.heat_maps import caption, overlay, plot_heat_map


def test_the_plot_shows_the_image_beside_its_heat_map(tmp_path):
    plot_heat_map(image_explanation(), tmp_path / "plot.png")
    width, height = Image.open(tmp_path / "plot.png").size
    assert width > 1.5 * height


def test_hot_parts_are_coloured_and_cold_ones_grey():
    explanation = image_explanation()
    blended = overlay(explanation.image, explanation.heat_map).astype(int)
    assert blended.shape == (16, 16, 3)
    assert blended[0, 0].max() - blended[0, 0].min() <= 1
    assert blended[15, 15, 0] - blended[15, 15, 2] > 50


def test_the_caption_names_the_explained_class_where_it_is_another():
    assert caption(image_explanation()) == "cat 0.900"
    assert caption(image_explanation("dog")) == "cat 0.900, explained: dog 0.100"
