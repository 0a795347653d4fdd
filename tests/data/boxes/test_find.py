import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes import find as box_sources
from tl_keras.data.boxes.find import find_boxes
from tl_keras.errors import InputError

# The formats are tested with their readers, through find_boxes too.


def test_an_example_is_found_by_its_name(tmp_path, monkeypatch):
    save_image(tmp_path / "train" / "a.png")
    (tmp_path / "train" / "a.xml").write_text(
        "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        "</object></annotation>"
    )
    monkeypatch.setattr(box_sources, "box_example_path", {"boxed_emoji": tmp_path}.get)
    assert find_boxes("boxed_emoji").class_names == ("cat",)


def test_an_unrelated_json_file_does_not_hide_other_formats(tmp_path, monkeypatch):
    (tmp_path / "settings.json").write_text('{"zoom": 3}')
    with pytest.raises(InputError, match="settings.json is not in COCO's format: got the keys zoom"):
        find_boxes(tmp_path)
    test_an_example_is_found_by_its_name(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("emoji", "'emoji' does not hold boxes: give --data.path boxed_emoji or tree_crowns"),
        ("tree_crown", "did you mean 'tree_crowns'"),
        ("nothing/here.json", "Nothing found"),
    ],
)
def test_missing_data_are_refused(path, message):
    with pytest.raises(InputError, match=message):
        find_boxes(path)


def test_a_folder_without_boxes(tmp_path):
    save_image(tmp_path / "cat" / "a.png")
    with pytest.raises(InputError, match="has no boxes: expected COCO's JSON .* data.yaml, or Pascal VOC"):
        find_boxes(tmp_path)


def test_unknown_format(tmp_path):
    with pytest.raises(InputError, match="detection.box_format 'yxyx': did you mean 'xyxy'"):
        find_boxes(tmp_path, box_format="yxyx")
