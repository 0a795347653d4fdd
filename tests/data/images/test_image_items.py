import numpy as np
import pytest

from tl_keras.data.images.decoding import read_image
from tl_keras.data.images.image_items import find_image_files, predict_files
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
def test_every_file_has_a_prediction_or_a_problem_in_order(image_folder, tmp_path, batch_size):
    (tmp_path / "bad.png").write_bytes(b"")
    good = [str(image_folder / "blue" / f"blue-{number:02d}.png") for number in range(4)]
    files = [*good[:3], str(tmp_path / "bad.png"), good[3]]
    sizes = []

    def predict(images):
        sizes.append(len(images))
        assert images.shape[1:] == (16, 16, 3) and images.dtype == np.uint8
        return images.mean(axis=(1, 2, 3))

    results = list(predict_files(files, predict, image_size=16, resize="stretch", batch_size=batch_size))
    assert [file for file, _, _ in results] == files
    assert max(sizes) <= batch_size and sum(sizes) == 4
    assert results[3][1] is None and "empty" in results[3][2]
    for file, prediction, problem in (*results[:3], results[4]):
        assert problem is None and prediction == pytest.approx(read_image(file, 16, "stretch").mean())
