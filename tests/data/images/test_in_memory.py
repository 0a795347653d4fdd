import numpy as np
import pytest
from PIL import Image

from tl_keras import data
from tl_keras.errors import InputError

GREY = np.arange(12, dtype="uint8").reshape(3, 4) * 20


def test_grey_and_transparent_arrays_become_rgb():
    (image,) = data.list_given_images(GREY)
    assert image.shape == (3, 4, 3) and (image == GREY[..., None]).all()
    assert (data.list_given_images(GREY[..., None])[0] == image).all()
    transparent = np.dstack([np.zeros((3, 4, 3), "uint8"), np.zeros((3, 4), "uint8")])
    assert (data.list_given_images(transparent)[0] == 255).all()


def test_batches_and_lists_are_flattened(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    given = [tmp_path, str(tmp_path / "a.png"), Image.fromarray(GREY), np.zeros((2, 3, 4, 3), "float64")]
    images = data.list_given_images(given)
    assert len(images) == 5
    assert [data.upright_pixels(image).shape for image in images] == [(3, 4, 3)] * 5
    assert data.read_given_image(images[0], 8, "stretch").shape == (8, 8, 3)


def test_a_pillow_image_of_the_caller_is_not_changed():
    image = Image.fromarray(GREY)
    image.getexif()[274] = 6
    data.list_given_images(image)
    assert image.size == (4, 3) and image.getexif()[274] == 6


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (np.full((3, 4, 3), 0.5), "so multiply it by 255"),
        (np.full((3, 4, 3), 300), "values from 300 to 300"),
        (np.full((3, 4, 3), np.nan), "values from nan to nan"),
        (np.full((3, 4, 3), "x"), "dtype <U1"),
        (np.zeros((2, 3, 5)), r"shape \(2, 3, 5\)"),
        ([], "Got no image"),
        ("nothing.png", "Nothing found at"),
    ],
)
def test_other_things_are_refused_in_one_sentence(examples, message):
    with pytest.raises(InputError, match=message):
        data.list_given_images(examples)
