"""Malformed box annotations, which are all reported in one message, or left out with a note."""

import json
from dataclasses import replace

import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.box_sets import load_box_splits
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.boxes.splitting import split_boxes
from tl_keras.data.images.image_sets import ImageLoading
from tl_keras.errors import InputError


def coco():
    """Makes a document with twelve images of 40 × 30 pixels and a box of each of two classes."""
    return {
        "images": [{"id": 10 * n, "file_name": f"{n}.png", "height": 30, "width": 40} for n in range(12)],
        "annotations": [
            {"id": 2 * n + kind, "image_id": 10 * n, "category_id": (5, 900)[kind], "bbox": [2 + 9 * kind, 3, 8, 9]}
            for n in range(12)
            for kind in range(2)
        ],
        "categories": [{"id": 900, "name": "bee"}, {"id": 5, "name": "ant"}],
    }


@pytest.fixture
def write(tmp_path):
    for number in range(12):
        save_image(tmp_path / f"{number}.png")

    def make(content):
        (tmp_path / "boxes.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path / "boxes.json"

    return make


def with_box(*numbers):
    return lambda content: content["annotations"][0].update(bbox=list(numbers))


def with_entry(key, place=0, **values):
    return lambda content: content[key][place].update(values)


def with_more(key, **values):
    return lambda content: content[key].append(values)


def as_corners(content):
    for entry in content["annotations"]:
        entry["bbox"] = [20, 15, 28, 24]


REFUSED = {
    "a negative box": (with_box(9, 9, -3, 2), "a box of negative width or height at annotation 0"),
    "a box outside": (with_box(50, 3, 8, 9), "a box outside of its image at annotation 0"),
    "a box of zero area": (with_box(2, 3, 0, 9), "a box of zero area at annotation 0"),
    "NaN": (with_box(2, 3, float("nan"), 9), "a box with NaN or without a number at annotation 0"),
    "infinite": (with_box(2, 3, float("inf"), 9), "a box with NaN or without a number at annotation 0"),
    "a number beyond float": (with_box(2, 3, 10**400, 9), "a box with NaN or without a number at annotation 0"),
    "three numbers": (with_box(2, 3, 4), "a box with NaN or without a number at annotation 0"),
    "words": (with_box("a", 3, 4, 5), "a box with NaN or without a number at annotation 0"),
    "xyxy given as xywh": (as_corners, "look like xyxy .* --detection.box_format xyxy"),
    "a missing image": (with_entry("images", file_name="99.png"), "a missing image at 99.png"),
    "an image of another size": (with_entry("images", width=41), r"0.png \(40 × 30, not 41 × 30\)"),
    "an image path upwards": (with_entry("images", file_name="../x.png"), "leads out of its folder at ../x.png"),
    "an absolute image path": (with_entry("images", file_name="/x.png"), "leads out of its folder at /x.png"),
    "an image twice": (
        with_entry("images", 1, file_name="0.png"),
        "an image that is listed twice, or in two splits at 0.png",
    ),
    "an image id twice": (with_entry("images", 1, id=0), "a duplicate image id at id 0"),
    "an annotation id twice": (with_entry("annotations", 1, id=0), "a duplicate annotation id"),
    "an unknown image id": (with_entry("annotations", image_id=7), "an annotation of an unknown image id"),
    "an unknown category id": (with_entry("annotations", category_id=7), "an annotation of an unknown category id"),
    "a category id twice": (with_more("categories", id=5, name="cat"), "a duplicate category id"),
    "a category name twice": (with_entry("categories", name="ant"), "a duplicate category name"),
    "a category without a name": (with_more("categories", id=6), "a category without a name at id 6"),
    "categories that look alike": (with_entry("categories", name="Ant"), "look alike at 'Ant' and 'ant'"),
    "no categories": (lambda content: content.pop("categories"), "not in COCO's format"),
    "no boxes": (lambda content: content.update(annotations=[]), "no image has a box"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row, write):
    change, message = REFUSED[row]
    content = coco()
    change(content)
    with pytest.raises(InputError, match=message) as caught:
        find_boxes(write(content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}', "[" * 100_000, "\ufeff{}"])
def test_json_that_is_not_coco(text, write, tmp_path):
    write({})
    (tmp_path / "boxes.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not JSON|is not in COCO's format"):
        find_boxes(tmp_path / "boxes.json")


def test_boxes_that_leave_their_image_are_clipped_and_counted(write):
    content = coco()
    with_box(-2, 3, 8, 9)(content)
    records = find_boxes(write(content))
    assert records.boxes[0][0].tolist() == [0, 3, 6, 12]
    assert records.notes == ("Clipped 1 of 24 boxes that left their image.",)


def test_ids_with_gaps_crowds_and_images_without_boxes(write):
    content = coco()
    for entry in content["annotations"][:2]:
        entry["iscrowd"] = 1
    records = find_boxes(write(content))
    assert records.class_names == ("ant", "bee") and len(records) == 12 and len(records.boxes[0]) == 0
    assert records.notes == (
        "Left out 2 boxes of crowds.",
        "1 of 12 images has no box; it is kept, as background.",
    )


def test_a_class_in_validation_only(write):
    content = coco()
    content["annotations"] = [
        entry for entry in content["annotations"] if entry["image_id"] in (0, 10) or entry["id"] % 2
    ]
    records = find_boxes(write(content))
    splits = ["validation" if name in ("0.png", "1.png") else "train" for name in records.names]
    with pytest.raises(InputError, match="validation split has labels that the train split never shows, ant"):
        split_boxes(replace(records, splits=splits))


def test_all_problems_and_bad_images_are_reported_in_one_message(write, tmp_path):
    content = coco()
    with_box(2, 3, 0, 9)(content)
    with_entry("images", 1, file_name="99.png")(content)
    file = write(content)
    (tmp_path / "5.png").write_bytes(b"<html>")
    with pytest.raises(InputError) as caught:
        find_boxes(file)
    for part in ("zero area at annotation 0", "missing image at 99.png", "5.png (not an image that can be recognised)"):
        assert part in str(caught.value)


def test_all_files_that_are_left_out_count_towards_the_limit(write, tmp_path):
    content = coco()
    with_entry("images", 1, file_name="99.png")(content)
    file = write(content)
    (tmp_path / "5.png").write_bytes(b"<html>")
    records = split_boxes(find_boxes(file, on_bad_file="skip"))
    with pytest.raises(InputError, match="2 of 12 files cannot be used, 16.7%, .* 10% at most: 99.png .*; 5.png"):
        load_box_splits(records, 32, loading=ImageLoading("skip", max_bad_files=0.1))
    splits = load_box_splits(records, 32, loading=ImageLoading("skip", max_bad_files=0.2))
    assert splits.skipped == [
        ("99.png", "a missing image"),
        ("5.png", "not an image that can be recognised"),
    ]
