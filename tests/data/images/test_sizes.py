import io

import pytest
from PIL import Image

from tl_keras.data.images.sizes import MAX_MEASURED, typical_side, upright_size


def png(width, height):
    stream = io.BytesIO()
    Image.new("RGB", (width, height)).save(stream, "png")
    return stream.getvalue()


def test_the_median_of_the_shorter_sides():
    assert typical_side([png(10, 90), png(20, 30), png(80, 40)]) == 20


def test_files_and_bytes(tmp_path):
    (tmp_path / "x.png").write_bytes(png(30, 50))
    assert typical_side([str(tmp_path / "x.png"), png(30, 30)]) == 30


@pytest.mark.parametrize("source", [b"", b"no image", "/nothing/there.png"])
def test_files_that_cannot_be_opened_are_ignored(source):
    assert typical_side([source, png(12, 12)]) == 12
    assert typical_side([source]) == 0


def test_many_images_are_sampled_evenly():
    small, large = [png(10, 10)] * MAX_MEASURED, [png(50, 50)] * (2 * MAX_MEASURED)
    assert typical_side(small + large) == 50


@pytest.mark.parametrize(("orientation", "expected"), [(1, (30, 40)), (6, (40, 30))])
def test_upright_size_follows_the_orientation(tmp_path, orientation, expected):
    exif = Image.Exif()
    exif[274] = orientation
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    assert upright_size(str(tmp_path / "a.jpg")) == upright_size((tmp_path / "a.jpg").read_bytes()) == expected


def test_files_that_cannot_be_opened_have_no_upright_size(tmp_path):
    assert upright_size(str(tmp_path / "nowhere.png")) is None and upright_size(b"no image") is None


def test_an_avif_that_breaks_its_decoder_has_no_size(tmp_path):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "avif")
    content = stream.getvalue()
    assert upright_size(content) == (8, 8)
    # Without the box that names the primary image.
    assert upright_size(content.replace(b"pitm\0\0\0\0\0\x01", b"qitm\0\0\0\0\0\x01")) is None
