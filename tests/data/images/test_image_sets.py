import numpy as np
import pytest
from PIL import Image

from tests.data.tiny_images import save_image
from tl_keras.data.images import image_sets as images_module
from tl_keras.data.images.decoding import read_digested, read_image
from tl_keras.data.images.image_sets import ImageFiles, ImageLoading, load_image_splits
from tl_keras.data.records import Records
from tl_keras.errors import InputError


def make_records(folder, values, labels, splits):
    """Writes one grey image per value; the value -1 gives a file that is no image."""
    names = [f"{row}.png" for row in range(len(values))]
    for name, value in zip(names, values, strict=True):
        if value < 0:
            (folder / name).write_bytes(b"nothing")
        else:
            Image.new("RGB", (9, 7), (value,) * 3).save(folder / name)
    return Records([str(folder / name) for name in names], names, np.array(labels, np.int32), splits, ("a", "b"))


SKIP = ImageLoading("skip", max_bad_files=1.0)
GOOD = ([10, 20, 30, 40], [0, 1, 0, 1], ["train", "test", "validation", "train"])


def values(image_set):
    return [int(image_set.images[row].max()) for row in range(len(image_set))]


@pytest.mark.parametrize("max_decoded_bytes", [2**31, 4 * 8 * 8 * 3, 4 * 8 * 8 * 3 - 1, 0])
def test_splits_have_their_images(tmp_path, max_decoded_bytes):
    splits = load_image_splits(
        make_records(tmp_path, *GOOD), 8, loading=ImageLoading(max_decoded_bytes=max_decoded_bytes)
    )
    assert values(splits.train) == [10, 40] and splits.train.labels.tolist() == [0, 1]
    assert values(splits.validation) == [30] and splits.validation.names == ["2.png"]
    assert values(splits.test) == [20] and splits.test.class_names == splits.class_names == ("a", "b")
    assert splits.skipped == []
    is_kept = isinstance(splits.train.images, np.ndarray)
    assert is_kept == (max_decoded_bytes >= 4 * 8 * 8 * 3)
    assert splits.train.images[0].shape == (8, 8, 3) and splits.train.images[0].dtype == np.uint8
    assert len(splits.train) == len(splits.train.images) == 2


def test_every_file_is_decoded_once(tmp_path, monkeypatch):
    read = []

    def counting(source, image_size, resize):
        read.append(source)
        return read_digested(source, image_size, resize)

    monkeypatch.setattr(images_module, "read_digested", counting)
    monkeypatch.setattr(images_module, "read_image", None)
    records = make_records(tmp_path, *GOOD)
    load_image_splits(records, 8)
    assert sorted(read) == sorted(records.sources)


@pytest.mark.parametrize("max_decoded_bytes", [2**31, 0])
def test_a_file_that_a_table_lists_many_times_is_decoded_once(tmp_path, monkeypatch, max_decoded_bytes):
    read = []

    def counting(source, *arguments):
        read.append(source)
        return read_digested(source, *arguments)

    monkeypatch.setattr(images_module, "read_digested", counting)
    once = make_records(tmp_path, [10, 20, -1], [0, 1, 1], ["train"] * 3)
    records = once.take([0, 1, 2, 0, 2, 1, 1])
    loading = ImageLoading(on_bad_file="skip", max_bad_files=1.0, max_decoded_bytes=max_decoded_bytes)
    splits = load_image_splits(records, 8, loading=loading)
    assert sorted(read) == sorted(once.sources)
    assert values(splits.train) == [10, 20, 10, 20, 20]
    assert (splits.train.digests[0] == splits.train.digests[2]).all()
    assert [name for name, _ in splits.skipped] == ["2.png", "2.png"]


def test_files_are_read_with_their_resize(tmp_path):
    path = save_image(tmp_path / "wide.png", 20, 10)
    np.testing.assert_array_equal(ImageFiles([path], 8, "pad")[0], read_image(path, 8, "pad"))
    records = Records([path] * 2, ["1", "2"], np.array([0, 0], np.int32), ["train"] * 2, ("a",))
    splits = load_image_splits(records, 8, resize="pad")
    np.testing.assert_array_equal(splits.train.images[0], read_image(path, 8, "pad"))


def test_a_split_may_be_without_images(tmp_path):
    splits = load_image_splits(make_records(tmp_path, [1, 2], [0, 1], ["train", "train"]), 8)
    assert len(splits.test) == 0 and splits.test.images.shape == (0, 8, 8, 3)


BAD = ([10, -1, 30, 40, -1], [0, 0, 0, 1, 1], ["train", "train", "validation", "train", "test"])


def test_all_bad_files_are_reported_in_one_message(tmp_path):
    records = make_records(tmp_path, *BAD)
    (tmp_path / "4.png").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        load_image_splits(records, 8)
    message = str(caught.value)
    assert message.startswith("2 of 5 images cannot be used: 1.png (not an image that can be recognised); 4.png (the")
    assert "--data.on_bad_file skip" in message and "\n" not in message


def test_twenty_bad_files_are_named_and_the_rest_counted(tmp_path):
    records = make_records(tmp_path, [-1] * 23 + [1], [0] * 23 + [1], ["train"] * 24)
    with pytest.raises(InputError, match=r"23 of 24.*; 19.png \(not .*\); and 3 more"):
        load_image_splits(records, 8)


@pytest.mark.parametrize("max_decoded_bytes", [2**31, 0])
def test_bad_files_can_be_skipped(tmp_path, max_decoded_bytes):
    records = make_records(tmp_path, *BAD)
    loading = ImageLoading(on_bad_file="skip", max_bad_files=1.0, max_decoded_bytes=max_decoded_bytes)
    splits = load_image_splits(records, 8, loading=loading)
    assert splits.skipped == [
        ("1.png", "not an image that can be recognised"),
        ("4.png", "not an image that can be recognised"),
    ]
    assert values(splits.train) == [10, 40] and splits.train.labels.tolist() == [0, 1]
    assert splits.train.names == ["0.png", "3.png"] and len(splits.test) == 0


def test_a_class_without_readable_training_images_is_named(tmp_path):
    with pytest.raises(InputError, match="No readable training image of b is left:"):
        load_image_splits(make_records(tmp_path, [1, -1], [0, 1], ["train"] * 2), 8, loading=SKIP)


def test_multi_label(tmp_path):
    records = make_records(tmp_path, [1, 2, -1], [0, 0, 0], ["train"] * 3)
    labels = np.array([[1, 1], [0, 1], [1, 0]], np.uint8)
    records = Records(records.sources, records.names, labels, records.splits, records.class_names)
    splits = load_image_splits(records, 8, loading=SKIP)
    np.testing.assert_array_equal(splits.train.labels, labels[:2])


def test_an_unknown_value_of_on_bad_file(tmp_path):
    with pytest.raises(InputError, match="data.on_bad_file 'skp'.*'skip'"):
        load_image_splits(make_records(tmp_path, *GOOD), 8, loading=ImageLoading(on_bad_file="skp"))


def test_undecided_splits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="undecided splits"):
        load_image_splits(make_records(tmp_path, [1], [0], [""]), 8)
