import pytest

from tl_keras.explanation.file_names import name_plot


@pytest.mark.parametrize(
    ("number", "path", "name"),
    [(1, "a/x.jpg", "001-x.png"), (12, "a/red\nx.png", "012-red_nx.png"), (1000, "x", "1000-x.png")],
)
def test_a_plot_is_named_by_its_number_and_its_image(number, path, name):
    assert name_plot(number, path) == name
