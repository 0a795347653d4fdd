import copy
import json

import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.coco import find_coco_files, read_coco
from tl_keras.data.boxes.find import find_boxes
from tl_keras.errors import InputError

GOOD = {
    "images": [
        {"id": 7, "file_name": "a.png", "height": 30, "width": 40},
        {"id": 3, "file_name": "deep/b.png", "height": 30, "width": 40},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2, 10, 10], "iscrowd": 0},
        {"id": 2, "image_id": 3, "category_id": 4, "bbox": [5, 5, 20, 20]},
        {"id": 3, "image_id": 7, "category_id": 4, "bbox": [0, 0, 9, 9]},
        {"id": 4, "image_id": 7, "category_id": 4, "bbox": [0, 0, 40, 30], "iscrowd": 1},
    ],
    "categories": [{"id": 90, "name": "ant"}, {"id": 4, "name": "bee"}, {"id": 11, "name": "cow"}],
}


@pytest.fixture
def write(tmp_path):
    for name in ("a.png", "deep/b.png"):
        save_image(tmp_path / name)

    def make(change=None, name="boxes.json", content=GOOD):
        content = copy.deepcopy(content)
        if change:
            change(content)
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
        return file

    return make


def test_ids_with_gaps_are_renumbered_and_crowds_counted(write, tmp_path):
    records = find_boxes(write())
    assert records.sources == [str(tmp_path / "a.png"), str(tmp_path / "deep/b.png")]
    assert records.class_names == ("bee", "ant")
    assert [labels.tolist() for labels in records.labels] == [[1, 0], [0]]
    assert records.boxes[0].tolist() == [[1, 2, 11, 12], [0, 0, 9, 9]]
    assert records.boxes[1].tolist() == [[5, 5, 25, 25]]
    assert records.splits == ["", ""]
    assert records.notes == ("Left out 1 box of crowds.", "Left out, for no image shows it: cow.")


def test_annotations_may_lack_ids(write):
    def without_ids(content):
        for entry in content["annotations"]:
            del entry["id"]

    assert [len(boxes) for boxes in find_boxes(write(without_ids)).boxes] == [2, 1]


def test_xyxy_is_recognised_and_accepted(write):
    def as_xyxy(content):
        for entry in content["annotations"]:
            left, top, width, height = entry["bbox"]
            entry["bbox"] = [left + 15, top + 8, left + width + 14, top + height + 5]

    with pytest.raises(InputError, match="look like xyxy"):
        find_boxes(write(as_xyxy))
    assert find_boxes(write(as_xyxy), box_format="xyxy").boxes[1].tolist() == [[20, 13, 39, 30]]


def as_other_tools(content):
    """Writes ids as texts, sizes as floats, and paths of another machine, as several tools do."""
    first, second = content["images"]
    first.update(file_name="C:\\data\\a.png", height=30.0, width="40")
    second.update(file_name="deep\\b.png")
    for entry in (*content["images"], *content["categories"]):
        entry["id"] = str(entry["id"])
    for entry in content["annotations"]:
        entry["iscrowd"] = str(entry.get("iscrowd", 0))
        entry["image_id"] = float(entry["image_id"])
    # The polygons of a crowd would not be read.
    content["annotations"][0].update(bbox=[], segmentation=[[1, 2, 6, 2, 6, 12], [11, 7, 6, 5]])
    del content["annotations"][2]["bbox"]
    content["annotations"][2]["segmentation"] = [[0, 9, 9, "0"]]


def test_forms_of_other_tools_equal_the_plain_form(write):
    plain, other = find_boxes(write()), find_boxes(write(as_other_tools))
    for column in ("sources", "splits", "class_names", "notes"):
        assert getattr(other, column) == getattr(plain, column)
    assert [boxes.tolist() for boxes in other.boxes] == [boxes.tolist() for boxes in plain.boxes]


def test_polygons_of_xyxy_data(write):
    def with_polygon(content):
        content["annotations"] = [{"image_id": 7, "category_id": 4, "segmentation": [[20, 13, 39, 30]]}]

    assert find_boxes(write(with_polygon), box_format="xyxy").boxes[0].tolist() == [[20, 13, 39, 30]]


@pytest.mark.parametrize("name", ["/home/me/set/deep/b.png", "../../media/deep/b.png", r"..\deep\b.png"])
def test_the_last_parts_of_a_path_of_another_machine_are_searched(write, tmp_path, name):
    records = find_boxes(write(lambda content: content["images"][1].update(file_name=name)))
    assert records.sources[1] == str(tmp_path / "deep/b.png") and records.names[1] == "deep/b.png"


def test_an_unused_root_category_may_have_the_name_of_a_class(write):
    records = find_boxes(write(_append("categories", {"id": 0, "name": "ant", "supercategory": "none"})))
    assert records.class_names == ("bee", "ant")


def test_boxes_of_a_refused_image_are_no_further_problems(write):
    with pytest.raises(InputError) as caught:
        find_boxes(write(lambda content: content["images"][0].update(file_name="/c.png")))
    assert "leads out of its folder at /c.png: correct" in str(caught.value)


def _append(key, entry):
    return lambda content: content[key].append(entry)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_append("images", {"id": 7, "file_name": "c.png"}), "a duplicate image id at id 7"),
        (_append("images", {"id": 8, "file_name": "../c.png"}), "leads out of its folder at ../c.png"),
        (_append("images", {"file_name": "c.png"}), "an image without id or file_name"),
        (_append("images", {"id": 8, "file_name": "c.png"}), "a missing image at c.png"),
        (_append("annotations", {"id": 1, "image_id": 7}), "a duplicate annotation id at annotation 1"),
        (_append("annotations", {"id": 9, "image_id": 8}), r"unknown image id at annotation 9 \(image 8\)"),
        (_append("annotations", {"id": 9, "image_id": 7, "category_id": 1}), r"unknown category id at .*category 1\)"),
        (_append("annotations", {"id": 9, "image_id": 7, "category_id": 4}), "without a number at annotation 9"),
        (
            _append("annotations", {"id": [9], "image_id": [7], "category_id": {}}),
            r"unknown image id at number 5 \(image None",
        ),
        (_append("categories", {"id": [], "name": "dog"}), "a category without an id"),
        (_append("categories", {"id": 4, "name": "dog"}), "a duplicate category id at id 4"),
        (lambda content: content["categories"][0].update(name="bee"), "a duplicate category name at bee"),
        (lambda content: content["annotations"][0].update(iscrowd="maybe"), "iscrowd is not 0 or 1 at annotation 1"),
        (lambda content: content["images"][0].update(width=41), r"a.png \(40 × 30, not 41 × 30\)"),
        (lambda content: content.pop("categories"), "not in COCO's format: got the keys images, annotations, expected"),
        (lambda content: content["images"].append(3), "not in COCO's format: images must contain objects"),
    ],
)
def test_bad_entries(write, change, message):
    with pytest.raises(InputError, match=message) as caught:
        find_boxes(write(change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [("[1, 2]", "got no object"), ("{", "is not JSON"), ("\xff", "not JSON")])
def test_not_coco(tmp_path, text, message):
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=message):
        find_boxes(tmp_path / "x.json")


def test_one_file_per_split_beside_folders_of_images(tmp_path, write):
    for split in ("train2017", "val2017"):
        for name in ("a.png", "deep/b.png"):
            save_image(tmp_path / "coco" / split / name)
        write(name=f"coco/annotations/instances_{split}.json")
        write(name=f"coco/annotations/captions_{split}.json", content={"images": []})
    records = find_boxes(tmp_path / "coco")
    assert records.splits == ["train"] * 2 + ["validation"] * 2
    assert records.names[0] == "train/a.png" and records.names[2] == "validation/a.png"
    assert records.sources[2] == str(tmp_path / "coco/val2017/a.png")


def test_a_file_of_a_split_without_images_is_refused(tmp_path, write):
    write(name="instances_train.json")
    write(name="instances_val.json", content={"images": [], "annotations": [], "categories": []})
    with pytest.raises(InputError, match="a file without images at instances_val.json: remove it"):
        find_boxes(tmp_path)


def test_files_beside_the_images_of_each_split(tmp_path, write):
    for split in ("train", "valid"):
        for name in ("a.png", "deep/b.png"):
            save_image(tmp_path / "export" / split / name)
        write(name=f"export/{split}/_annotations.coco.json")
    assert find_boxes(tmp_path / "export").splits == ["train"] * 2 + ["validation"] * 2
    assert len(find_coco_files(tmp_path / "export")) == 2


def test_images_in_a_folder_of_their_own(tmp_path, write):
    for name in ("a.png", "deep/b.png"):
        save_image(tmp_path / "other" / "images" / name)
    file = write(name="other/labels.json")
    assert read_coco([file]).images[0].source == str(tmp_path / "other/images/a.png")
