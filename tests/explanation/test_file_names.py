import pytest

from tl_keras.explanation.file_names import name_plot


@pytest.mark.parametrize(
    ("number", "path", "name"),
    [(1, "a/x.jpg", "001-x.png"), (12, "a/red\nx.png", "012-red_nx.png"), (1000, "x", "1000-x.png")],
)
def test_a_plot_is_named_by_its_number_and_its_image(number, path, name):
    assert name_plot(number, path) == name


def test_a_long_name_is_cut_so_that_the_plot_can_be_written(tmp_path):
    path = tmp_path / name_plot(1, f"a/{'ä' * 126}.png")
    path.touch()
    assert path.name == f"001-{'ä' * 100}.png"
