import numpy as np
from PIL import Image

from tl_keras import evaluation


def test_images_follow_each_other_in_rows(tmp_path):
    images = [np.full((8, 8, 3), shade, "uint8") for shade in (0, 255)]
    evaluation.plot_contact_sheet(images, [("a.png", "cat"), ("b.png", "")], tmp_path / "sheet.png")
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    half = pixels.shape[1] // 2
    assert pixels[90, half // 2] < 10 and pixels[90, half + half // 2] > 245
