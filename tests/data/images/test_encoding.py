import numpy as np
from PIL import Image

from tl_keras.data.images.decoding import read_upright
from tl_keras.data.images.encoding import encode_png


def test_an_encoded_image_is_read_without_loss():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    content = encode_png(Image.fromarray(pixels))
    assert content.startswith(b"\x89PNG")
    np.testing.assert_array_equal(read_upright(content), pixels)
