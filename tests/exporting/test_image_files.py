import numpy as np
import pytest
from PIL import Image

from tests.exporting.image_contents import as_file, as_png
from tl_keras import data
from tl_keras.exporting.image_files import decode_image


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(40, 30), (20, 33)])
def test_images_are_resized_as_in_training(resize, shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    pixels = np.stack([rows * 6, columns * 7, rows * 3 + columns * 2], axis=-1).astype("uint8")
    got = decode_image(as_png(pixels), 16, resize).numpy()
    expected = data.resize_image(pixels, 16, resize)
    # Pillow cuts at fractions of pixels.
    assert np.abs(got - expected).max() <= (10 if resize == "crop" else 1)


def test_files_of_every_kind_are_decoded_as_in_training():
    rgba = Image.fromarray(np.random.default_rng(2).integers(0, 256, (16, 16, 4)).astype("uint8"))
    files = {
        "transparent": as_file(rgba),
        "grey and transparent": as_file(rgba.convert("LA")),
        "grey": as_file(rgba.convert("L")),
        "palette": as_file(rgba.convert("RGB").convert("P"), transparency=3),
        "bitmap": as_file(rgba, "BMP"),
        "animation": as_file(rgba.convert("RGB"), "GIF", save_all=True, append_images=[rgba.convert("RGB").rotate(90)]),
        "JPEG": as_file(rgba.convert("RGB"), "JPEG", quality=95),
        "grey JPEG": as_file(rgba.convert("L"), "JPEG", quality=95),
    }
    for name, content in files.items():
        difference = decode_image(content, 16, "stretch").numpy() - data.read_image(content, 16)
        assert np.abs(difference).max() <= 1, name


@pytest.mark.parametrize("endian", ["<", ">"])
def test_photographs_are_turned_upright(endian):
    pixels = np.random.default_rng(3).integers(0, 256, (16, 24, 3)).astype("uint8")
    seen = set()
    for orientation in (None, *range(1, 9)):
        exif = Image.Exif()
        exif.endian = endian
        exif[0x010F] = "a camera"
        if orientation:
            exif[0x0112] = orientation
        content = as_file(Image.fromarray(pixels), "JPEG", quality=95, exif=exif)
        expected = data.read_image(content, 16)
        assert np.abs(decode_image(content, 16, "stretch").numpy() - expected).max() <= 1, orientation
        seen.add(expected.tobytes())
    assert len(seen) == 8
