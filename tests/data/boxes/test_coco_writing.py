import io
import json

import numpy as np
from PIL import Image

from tl_keras.data.boxes.coco_writing import coco_document, coco_results, write_coco
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.images.decoding import read_upright


def make_records():
    buffer = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), 99, np.uint8)).save(buffer, "PNG")
    return BoxRecords(
        sources=[buffer.getvalue()] * 3,
        names=["x", "y", "z"],
        boxes=[np.array([[1, 2, 11.5, 12], [3, 3, 9, 9]], np.float32), *[np.array([[0, 0, 5, 5]], np.float32)] * 2],
        labels=[np.array([1, 0], np.int32), *[np.array([1], np.int32)] * 2],
        sizes=np.array([[30, 40]] * 3, np.int32),
        splits=["train", "test", "train"],
        class_names=("a", "b"),
    )


def test_the_written_folder_is_read_back(tmp_path):
    records = make_records()
    write_coco(records, tmp_path / "coco")
    read = find_boxes(tmp_path / "coco")
    assert read.names == ["test/00000.jpg", "train/00000.jpg", "train/00001.jpg"]
    assert read.class_names == ("a", "b") and read.splits == ["test", "train", "train"]
    for row, written in enumerate((1, 0, 2)):
        np.testing.assert_array_equal(read.boxes[row], records.boxes[written])
        np.testing.assert_array_equal(read.labels[row], records.labels[written])
    np.testing.assert_allclose(read_upright(read.sources[0]).mean(), 99, atol=1)


def test_the_document_can_be_written_as_json():
    document = json.loads(json.dumps(coco_document(make_records(), ["x.jpg", "y.jpg", "z.jpg"])))
    assert document["images"][1] == {"id": 2, "file_name": "y.jpg", "height": 30, "width": 40}
    assert document["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": 2,
        "bbox": [1, 2, 10.5, 10],
        "area": 105,
        "iscrowd": 0,
    }
    assert document["categories"] == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def test_results_have_the_ids_of_the_document():
    none = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    one = {"boxes": np.array([[1, 2, 11, 32]], "float32"), "scores": np.array([0.5]), "labels": np.array([1])}
    results = json.loads(json.dumps(coco_results([none, one])))
    assert results == [{"image_id": 2, "category_id": 2, "bbox": [1, 2, 10, 30], "score": 0.5}]
