import pytest
from PIL import Image

from tl_keras import data
from tl_keras.errors import InputError

CLASSES = ("cat", "dog", "owl")


def make_images(root, names, count=4):
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(root / name / f"{number}.png")
    return root


@pytest.mark.parametrize("names", [[""], ["inside"]])
def test_images_without_class_folders_have_no_labels(tmp_path, names):
    records = data.find_target_images(make_images(tmp_path, names), CLASSES)
    assert len(records) == 4 and (records.labels == -1).all() and records.class_names == CLASSES


def test_images_in_class_folders_have_the_labels_of_the_source(tmp_path):
    records = data.find_target_images(make_images(tmp_path, ["owl", "cat"]), CLASSES)
    assert records.labels.tolist() == [0] * 4 + [2] * 4
    assert records.notes == ("The target has no example of dog.",)


def test_an_image_beside_the_class_folders_takes_no_labels_away(tmp_path):
    make_images(make_images(tmp_path, ["owl", "cat"]), [""], count=1)
    assert data.find_target_images(tmp_path, CLASSES).labels.tolist() == [0] * 4 + [2] * 4


def test_unknown_classes_are_handled_as_asked(tmp_path):
    make_images(tmp_path, ["cat", "dogs", "owl"])
    with pytest.raises(InputError, match="'dogs'.*did you mean 'dog'.*--adaptation.unknown_classes drop"):
        data.find_target_images(tmp_path, CLASSES)
    records = data.find_target_images(tmp_path, CLASSES, unknown_classes="drop")
    assert (records.labels == -1).sum() == 4 and "dogs is unknown" in records.notes[0]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="class folders are needed|Nothing to adapt to"):
        data.find_target_images(tmp_path, CLASSES)
