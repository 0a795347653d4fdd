import numpy as np
import pytest
from PIL import Image, ImageOps

from tl_keras.data.images.resizing import CROP, PAD, RESIZE_CALLS, RESIZES, STRETCH, resize_to_square

COLUMNS = Image.fromarray(np.repeat([[[0, 0, 0], [100, 100, 100], [200, 200, 200]]], 9, axis=0).astype("uint8"))


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("size", [(50, 30), (31, 64), (700, 200)])
def test_the_call_for_other_programs_computes_the_same(resize, size):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), "uint8"))
    called = eval(RESIZE_CALLS[resize], {"image": image, "size": (24, 24), "Image": Image, "ImageOps": ImageOps})
    np.testing.assert_array_equal(np.asarray(called), np.asarray(resize_to_square(image, 24, resize)))


def test_what_each_resize_shows():
    middle_rows = {resize: np.asarray(resize_to_square(COLUMNS, 9, resize))[4, :, 0] for resize in RESIZES}
    assert middle_rows[STRETCH][0] == 0 and middle_rows[STRETCH][-1] == 200 and len(set(middle_rows[STRETCH])) > 3
    assert set(middle_rows[PAD][[0, 1, 2, 6, 7, 8]]) == {255} and middle_rows[PAD][4] == 100
    assert middle_rows[CROP][0] == 0 and middle_rows[CROP][-1] == 200
    rows = COLUMNS.transpose(Image.Transpose.ROTATE_90)
    assert set(np.asarray(resize_to_square(rows, 3, CROP))[..., 0].ravel()) == {0, 100, 200}
