import io

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from tl_keras.data.images.decoding import BadImage, read_image, read_upright
from tl_keras.data.images.resizing import RESIZES
from tl_keras.errors import InputError

RED = (200, 30, 20)


def encoded(image, image_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def solid(color=RED, size=(40, 30), mode="RGB"):
    return Image.new(mode, size, color)


def near(image, color, tolerance=4):
    return np.abs(image.astype(int) - np.array(color)).max() <= tolerance


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "AVIF"])
def test_formats(image_format, tmp_path):
    path = tmp_path / "image.any"
    path.write_bytes(encoded(solid(), image_format))
    image = read_image(str(path), 16)
    assert image.shape == (16, 16, 3) and image.dtype == np.uint8
    assert near(image, RED, tolerance=8)


def test_bytes_and_paths_give_the_same_image(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))
    (tmp_path / "a.png").write_bytes(encoded(noise, "PNG"))
    np.testing.assert_array_equal(read_image(str(tmp_path / "a.png"), 8), read_image(encoded(noise, "PNG"), 8))


def test_an_image_of_the_right_size_is_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    for resize in RESIZES:
        np.testing.assert_array_equal(read_image(encoded(Image.fromarray(pixels), "PNG"), 12, resize), pixels)


@pytest.mark.parametrize(
    ("image", "image_format", "color"),
    [
        (solid(90, mode="L"), "PNG", (90, 90, 90)),
        (solid(1, mode="1"), "PNG", (255, 255, 255)),
        (solid().quantize(8), "PNG", RED),
        (solid((0, 255, 255, 0), mode="CMYK"), "JPEG", (255, 0, 0)),
        (solid((*RED, 255), mode="RGBA"), "PNG", RED),
        (solid((0, 0, 0, 0), mode="RGBA"), "PNG", (255, 255, 255)),
        (solid((0, 0, 0, 128), mode="RGBA"), "PNG", (127, 127, 127)),
        (solid((0, 0), mode="LA"), "PNG", (255, 255, 255)),
    ],
    ids=["grey", "black_and_white", "palette", "CMYK", "RGBA", "transparent", "half_transparent", "LA"],
)
def test_color_modes(image, image_format, color):
    assert near(read_image(encoded(image, image_format), 8), color, tolerance=6)


def test_transparent_palette_colours_become_white():
    image = solid().quantize(8)
    assert near(read_image(encoded(image, "PNG", transparency=image.getpixel((0, 0))), 8), (255, 255, 255))


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled(image_format):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    image = read_image(encoded(Image.fromarray(ramp), image_format), 16)
    np.testing.assert_allclose(image[..., 0], ramp / 257, atol=0.51)


def test_the_first_frame_of_an_animation_is_read():
    frames = [solid(color) for color in (RED, (0, 0, 255), (0, 255, 0))]
    for image_format in ("GIF", "WEBP"):
        animation = encoded(frames[0], image_format, save_all=True, append_images=frames[1:])
        assert near(read_image(animation, 8), RED, tolerance=8)


def test_exif_orientation_is_applied():
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = RED
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6  # Turned clockwise, the left half becomes the top.
    upright = read_image(encoded(image, "JPEG", exif=exif, quality=95), 16)
    assert near(upright[:6], RED, tolerance=12) and near(upright[10:], (0, 0, 0), tolerance=12)


def quarters(width, height):
    """An image whose left, middle and right thirds are red, green and blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for channel in range(3):
        pixels[:, channel * width // 3 : (channel + 1) * width // 3, channel] = 255
    return encoded(Image.fromarray(pixels), "PNG")


def test_stretch_shows_everything():
    image = read_image(quarters(90, 30), 30)
    assert [image[15, column].argmax() for column in (3, 15, 27)] == [0, 1, 2]


def test_crop_shows_the_middle():
    image = read_image(quarters(90, 30), 30, "crop")
    assert (image.argmax(axis=-1) == 1).all()


def test_pad_adds_white():
    image = read_image(quarters(90, 30), 30, "pad")
    assert near(image[:9], (255, 255, 255)) and near(image[-9:], (255, 255, 255))
    assert [image[15, column].argmax() for column in (3, 15, 27)] == [0, 1, 2]


def test_large_jpeg_is_decoded_at_a_fraction(monkeypatch):
    drafts = []
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)).resize((1600, 1200))
    content = encoded(noise, "JPEG", quality=95)
    full = np.asarray(Image.open(io.BytesIO(content)).resize((64, 64), Image.Resampling.BILINEAR), float)
    original = JpegImageFile.draft

    def draft(self, mode, size):
        result = original(self, mode, size)
        drafts.append(self.size)
        return result

    monkeypatch.setattr(JpegImageFile, "draft", draft)
    image = read_image(content, 64)
    assert drafts == [(200, 150)]
    assert np.abs(image - full).mean() < 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", "not an image"),
        (encoded(solid(size=(300, 200)), "JPEG")[:900], "truncated"),
        (encoded(solid(size=(300, 200)), "PNG")[:-30], "truncated"),
        (encoded(solid(size=(300, 200)), "BMP")[:-30], "truncated"),
        (encoded(solid(size=(300, 200)), "WEBP")[:-8], "damaged"),
        (encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"), "floating-point"),
        (encoded(Image.fromarray(np.full((4, 4), 70_000, np.int32)), "TIFF"), "32 bits"),
        (encoded(Image.new("1", (10_001, 10_000)), "PNG"), "more than 100 megapixels"),
        (encoded(Image.new("1", (15_000, 15_000)), "PNG"), "more than 100 megapixels"),
    ],
    ids=["empty", "html", "jpeg", "png", "bmp", "webp", "float", "int32", "100_megapixels", "225_megapixels"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bad_files_are_refused_with_the_reason(content, reason, tmp_path):
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    for source in (str(path), content):
        with pytest.raises(BadImage, match=reason) as caught:
            read_image(source, 16)
        assert reason in caught.value.reason
        assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="gone.png: no such file"):
        read_image(str(tmp_path / "gone.png"), 16)


def test_unknown_resize_names_the_nearest():
    with pytest.raises(InputError, match="data.resize 'strech'.*'stretch'"):
        read_image(encoded(solid(), "PNG"), 16, "strech")


def test_an_unsupported_format_is_named(tmp_path):
    (tmp_path / "x.HEIC").write_bytes(b"ftypheic")
    with pytest.raises(BadImage, match="convert it to JPEG"):
        read_image(str(tmp_path / "x.HEIC"), 8)


def test_read_upright_keeps_the_size_and_applies_the_orientation(tmp_path):
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[0] = 255
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_upright(str(tmp_path / "a.png")), pixels[::-1])
    with pytest.raises(BadImage, match="no such file"):
        read_upright(str(tmp_path / "b.png"))
