import numpy as np
from PIL import Image

from tl_keras.data.images import decoding
from tl_keras.data.images.decoding import read_digested, read_image
from tl_keras.data.images.pixel_digests import pixel_digest

PIXELS = np.random.default_rng(0).integers(0, 256, (600, 40, 3), np.uint8)
IMAGE = Image.fromarray(PIXELS)


def test_every_pixel_and_the_shape_matter():
    other = PIXELS.copy()
    other[599, 39, 2] ^= 1
    images = [IMAGE, Image.fromarray(other), Image.fromarray(PIXELS.reshape(300, 80, 3))]
    digests = {pixel_digest(image, 8) for image in images}
    assert len(digests) == 3 and pixel_digest(IMAGE.copy(), 8) in digests
    assert pixel_digest(IMAGE, 9) != pixel_digest(IMAGE, 8)


def test_the_digest_of_a_file_depends_neither_on_its_compression_nor_on_the_resize(tmp_path, monkeypatch):
    paths = [str(tmp_path / name) for name in ("a.png", "b.png", "c.bmp")]
    IMAGE.save(paths[0], compress_level=1)
    IMAGE.save(paths[1], compress_level=9)
    IMAGE.save(paths[2])
    digests = [read_digested(path, 8)[1] for path in paths]
    np.testing.assert_array_equal(read_digested(paths[0], 8)[0], read_image(paths[0], 8))
    # As another version of Pillow would do.
    monkeypatch.setattr(decoding, "resize_to_square", lambda image, side, resize: image.resize((side, side), 0))
    assert {read_digested(path, 8)[1] for path in paths} == set(digests) and len(set(digests)) == 1
