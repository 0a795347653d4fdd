from PIL import Image

from tests.explanation.explanation_cases import detection_explanation, image_explanation
from tl_keras.explanation.heat_maps import caption, overlay, plot_heat_map


def test_the_plot_shows_the_image_beside_its_heat_map(tmp_path):
    plot_heat_map(image_explanation(), tmp_path / "plot.png")
    width, height = Image.open(tmp_path / "plot.png").size
    assert width > 1.5 * height


def test_each_detection_has_a_panel_with_its_box(tmp_path):
    sizes = []
    for count in (0, 3, 4):
        plot_heat_map(detection_explanation(count), tmp_path / f"{count}.png")
        sizes.append(Image.open(tmp_path / f"{count}.png"))
    single, four, wrapped = sizes
    assert four.width > 3.5 * single.width and four.height == single.height
    assert wrapped.width == four.width and abs(wrapped.height - 2 * four.height) <= 1
    blue = (0, 114, 178)
    colours = [{pixel for _, pixel in one.convert("RGB").getcolors(one.width * one.height)} for one in sizes]
    assert [blue in one for one in colours] == [False, True, True]


def test_hot_parts_are_coloured_and_cold_ones_grey():
    explanation = image_explanation()
    blended = overlay(explanation.image, explanation.heat_map).astype(int)
    assert blended.shape == (16, 16, 3)
    assert blended[0, 0].max() - blended[0, 0].min() <= 1
    assert blended[15, 15, 0] - blended[15, 15, 2] > 50


def test_the_caption_names_the_explained_class_where_it_is_another():
    assert caption(image_explanation()) == "cat 0.900"
    assert caption(detection_explanation()) == "cat 0.900, cat 0.800"
    assert caption(detection_explanation(0)) == "no detection"
    assert caption(image_explanation("dog")) == "cat 0.900, explained: dog 0.100"
