import numpy as np
import pytest
from PIL import Image

from tl_keras.evaluation import plot_domains


def report(count, labelled=True):
    generator = np.random.default_rng(0)
    features = {"source": generator.normal(size=(count, 8)), "target": generator.normal(2, 1, (count, 8))}
    labels = {"source": generator.integers(0, 3, count)}
    return {"features": features, "labels": labels | ({"target": labels["source"]} if labelled else {})}


@pytest.mark.parametrize("labelled", [True, False])
def test_two_moments_are_drawn_side_by_side(tmp_path, labelled):
    plot_domains({"before": report(20, labelled), "after": report(20, labelled)}, ["a", "b", "c"], tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.width > 1000 and image.height > 1000


def test_many_classes_have_no_colours_and_few_examples_no_tsne(tmp_path):
    names = [str(number) for number in range(20)]
    plot_domains({"before": report(4)}, names, tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.height < 1000


@pytest.mark.parametrize("channels", [1, 4])
def test_identical_features_are_drawn(tmp_path, channels):
    features = {"source": np.zeros((40, channels)), "target": np.zeros((40, channels))}
    labels = {"source": np.zeros(40, int)}
    plot_domains({"before": {"features": features, "labels": labels}}, ["a", "b"], tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000
