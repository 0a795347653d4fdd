from contextlib import contextmanager
from itertools import combinations

import numpy as np
from PIL import Image

from tl_keras.evaluation import backbone_plot, plot_backbones
from tl_keras.evaluation.backbone_plot import saved_figure


def test_the_best_backbone_stands_out(tmp_path):
    backbones = [("b", 12.0, 0.4, 0.02), ("a", 30.0, 0.5, 0.02)]
    plot_backbones(backbones, [("stem", 0.9, 0.05), ("top", 0.5, 0.03)], tmp_path / "plots" / "backbones.png")
    pixels = np.asarray(Image.open(tmp_path / "plots" / "backbones.png").convert("RGB")).astype(int)
    orange = np.abs(pixels - (0xD5, 0x5E, 0x00)).sum(axis=2) < 20
    assert 20 < orange.sum() < 2000
    assert orange[:, : pixels.shape[1] // 2].any() and not orange[:, pixels.shape[1] // 2 :].any()


def test_names_of_backbones_of_nearly_the_same_time_are_beside_each_other(tmp_path, monkeypatch):
    boxes = []

    @contextmanager
    def measured_figure(*arguments):
        with saved_figure(*arguments) as figure:
            yield figure
            figure.canvas.draw()
            boxes.extend(text.get_window_extent() for text in figure.axes[0].texts)

    monkeypatch.setattr(backbone_plot, "saved_figure", measured_figure)
    names = [f"efficientnet_lite{number}" for number in range(3)]
    backbones = [(name, time, 0.3, 0.15) for name, time in zip(names, (19.7, 23.1, 37.0), strict=True)]
    plot_backbones(backbones, [("stem", 0.9, 0.05), ("top", 0.5, 0.03)], tmp_path / "backbones.png")
    assert len(boxes) == 3
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
