from dataclasses import replace

import numpy as np
import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.box_sets import load_box_splits
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.images.image_sets import ImageFiles, ImageLoading
from tl_keras.errors import InputError


@pytest.fixture
def records(tmp_path):
    sizes = [(30, 40), (40, 40), (20, 40), (30, 40)]
    return BoxRecords(
        sources=[save_image(tmp_path / f"{row}.png", width, height) for row, (height, width) in enumerate(sizes)],
        names=[f"{row}.png" for row in range(4)],
        boxes=[np.array([[0, 0, 40, 20], [4, 4, 4.5, 20]], np.float32), *[np.array([[2, 4, 20, 16]], np.float32)] * 3],
        labels=[np.array([1, 0], np.int32), *[np.array([0], np.int32)] * 3],
        sizes=np.array(sizes, np.int32),
        splits=["train", "train", "validation", "test"],
        class_names=("a", "b"),
        notes=("A note.",),
    )


def test_boxes_move_with_their_images(records):
    splits = load_box_splits(records, 20)
    assert splits.train.images.shape == (2, 20, 20, 3) and splits.train.images.dtype == np.uint8
    # 40 × 30 becomes 20 × 15, with 2 rows of white above.
    assert splits.train.boxes[0].tolist() == [[0, 2, 20, 12]] and splits.train.labels[0].tolist() == [1]
    assert splits.train.images[0, 1].min() == 255 and splits.train.images[0, 2].min() < 255
    assert splits.validation.boxes[0].tolist() == [[1, 7, 10, 13]] and splits.train.boxes[0].dtype == np.float32
    assert splits.train.sizes.tolist() == [[30, 40], [40, 40]] and splits.test.names == ["3.png"]
    assert splits.class_names == ("a", "b") and splits.skipped == []
    assert splits.notes == ("A note.", "Left out 1 box thinner than a pixel at 20 × 20.")


def test_stretch(records):
    boxes = load_box_splits(records, 20, resize="stretch").test.boxes[0]
    np.testing.assert_allclose(boxes, [[1, 8 / 3, 10, 32 / 3]], rtol=1e-6)


def test_crop_is_refused(records):
    with pytest.raises(InputError, match="data.resize 'crop'"):
        load_box_splits(records, 20, resize="crop")


def test_files_beyond_the_memory_limit_are_read_at_each_access(records):
    in_memory = load_box_splits(records, 20).train
    on_disk = load_box_splits(records, 20, loading=ImageLoading(max_decoded_bytes=10)).train
    assert isinstance(on_disk.images, ImageFiles)
    np.testing.assert_array_equal(on_disk.images[1], in_memory.images[1])


def test_rows_are_taken_with_their_boxes(records):
    for max_bytes in (10, 2**31):
        whole = load_box_splits(records, 20, loading=ImageLoading(max_decoded_bytes=max_bytes)).train
        part = whole.take(np.array([1]))
        assert len(part) == 1 and part.names == whole.names[1:2] and part.sizes.tolist() == whole.sizes[1:2].tolist()
        np.testing.assert_array_equal(part.boxes[0], whole.boxes[1])
        np.testing.assert_array_equal(part.labels[0], whole.labels[1])
        np.testing.assert_array_equal(part.images[0], whole.images[1])


def test_bad_files_are_named_or_skipped(records, tmp_path):
    (tmp_path / "1.png").write_bytes(b"broken")
    skip = ImageLoading("skip", max_bad_files=1.0)
    with pytest.raises(InputError, match="1 of 4 images cannot be used: 1.png"):
        load_box_splits(records, 20)
    splits = load_box_splits(records, 20, loading=skip)
    assert splits.train.names == ["0.png"] and len(splits.train) == len(splits.train.images) == 1
    assert [name for name, _ in splits.skipped] == ["1.png"]
    with pytest.raises(InputError, match="No readable training image of a; b is left"):
        load_box_splits(
            replace(records, sources=[str(tmp_path / "1.png"), *records.sources[1:]]),
            20,
            loading=skip,
        )
