import numpy as np
from PIL import Image

from tl_keras.evaluation import plot_backbones


def test_the_best_backbone_stands_out(tmp_path):
    backbones = [("b", 12.0, 0.4, 0.02), ("a", 30.0, 0.5, 0.02)]
    plot_backbones(backbones, [("stem", 0.9, 0.05), ("top", 0.5, 0.03)], tmp_path / "plots" / "backbones.png")
    pixels = np.asarray(Image.open(tmp_path / "plots" / "backbones.png").convert("RGB")).astype(int)
    orange = np.abs(pixels - (0xD5, 0x5E, 0x00)).sum(axis=2) < 20
    assert 20 < orange.sum() < 2000
    assert orange[:, : pixels.shape[1] // 2].any() and not orange[:, pixels.shape[1] // 2 :].any()
