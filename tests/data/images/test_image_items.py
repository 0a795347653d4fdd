import numpy as np
import pytest

from tl_keras.data.images.decoding import BadImage
from tl_keras.data.images.image_items import find_image_files, read_ahead
from tl_keras.errors import InputError


def test_folders_stand_for_the_images_in_and_below_them(image_folder):
    file = str(image_folder / "red" / "red-00.png")
    files = find_image_files([file, str(image_folder)])
    assert files[0] == file and len(files) == 37


def test_missing_files_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="Nothing found at 'nothing.png'"):
        find_image_files(["nothing.png"])
    with pytest.raises(InputError, match="No image found in"):
        find_image_files([str(tmp_path)])


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_batches_hold_every_file_in_order_and_the_reason_of_each_bad_one(image_folder, tmp_path, batch_size):
    (tmp_path / "bad.png").write_bytes(b"")
    good = [str(image_folder / "blue" / f"blue-{number:02d}.png") for number in range(4)]
    files = [*good[:3], str(tmp_path / "bad.png"), good[3]]
    batches = list(read_ahead(files, 16, "squash", batch_size))
    assert [file for names, _ in batches for file in names] == files
    images = [image for _, part in batches for image in part]
    assert isinstance(images[3], BadImage)
    assert all(image.shape == (16, 16, 3) and image.dtype == np.uint8 for image in (*images[:3], images[4]))
