import numpy as np
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
    records = data.find_target_images(make_images(tmp_path, names), CLASSES, data.find_records)
    assert len(records) == 4 and (records.labels == -1).all() and records.class_names == CLASSES


def test_images_in_class_folders_have_the_labels_of_the_source(tmp_path):
    records = data.find_target_images(make_images(tmp_path, ["owl", "cat"]), CLASSES, data.find_records)
    assert records.labels.tolist() == [0] * 4 + [2] * 4
    assert records.notes == ("The target has no example of dog.",)


def test_an_image_beside_the_class_folders_takes_no_labels_away(tmp_path):
    make_images(make_images(tmp_path, ["owl", "cat"]), [""], count=1)
    assert data.find_target_images(tmp_path, CLASSES, data.find_records).labels.tolist() == [0] * 4 + [2] * 4


def test_a_class_that_the_source_lacks_is_refused_with_the_nearest_name(tmp_path):
    make_images(tmp_path, ["cat", "dogs", "owl"])
    with pytest.raises(InputError, match="'dogs'.*did you mean 'dog'.*--adaptation.unknown_classes drop"):
        data.find_target_images(tmp_path, CLASSES, data.find_records)


def test_or_it_is_adapted_to_and_left_out_of_the_report(tmp_path):
    make_images(tmp_path, ["cat", "dog", "emu", "owl"])
    records = data.find_target_images(tmp_path, CLASSES, data.find_records, unknown_classes="drop")
    assert (records.labels == -1).sum() == 4 and "emu is unknown" in records.notes[0]
    hidden = data.hide_labels(records, 0.5, seed=0)
    tested = hidden.rows("test")
    assert len(tested) and all("emu" not in hidden.names[row] for row in tested)
    assert len(hidden) == 16


def test_a_target_of_other_classes_altogether_is_refused(tmp_path):
    with pytest.raises(InputError, match="None of the target's classes .emu; yak. is one of the source's"):
        data.find_target_images(
            make_images(tmp_path, ["emu", "yak"]), CLASSES, data.find_records, unknown_classes="drop"
        )


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="class folders are needed|Nothing to adapt to"):
        data.find_target_images(tmp_path, CLASSES, data.find_records)


def test_texts_come_without_labels_in_lines_or_in_a_table(tmp_path):
    (tmp_path / "target.txt").write_text("one film\n\nanother film\n", encoding="utf-8")
    (tmp_path / "target.csv").write_text("text,stars\none film,3\nanother film,4\n", encoding="utf-8")
    for name in ("target.txt", "target.csv"):
        records = data.find_target_texts(tmp_path / name, ("bad", "good"), data.find_texts)
        assert records.sources == ["one film", "another film"] and records.labels.tolist() == [-1, -1]


def test_texts_with_labels_have_those_of_the_source(tmp_path):
    (tmp_path / "target.csv").write_text("text,label\nfine,good\npoor,bad\n", encoding="utf-8")
    records = data.find_target_texts(tmp_path / "target.csv", ("bad", "good"), data.find_texts)
    assert records.labels.tolist() == [1, 0]


def test_what_is_adapted_to_is_drawn_without_a_look_at_labels(tmp_path):
    records = data.find_target_images(make_images(tmp_path, CLASSES, 10), CLASSES, data.find_records)
    hidden = data.hide_labels(records, 0.2, seed=3)
    assert len(hidden.rows("test")) == 6
    adapted_to = hidden.rows("train")
    assert not hidden.labels[adapted_to].any()
    np.testing.assert_array_equal(hidden.labels[hidden.rows("test")], records.labels[hidden.rows("test")])
    other = data.hide_labels(
        data.Records(records.sources, records.names, records.labels[::-1].copy(), records.splits, CLASSES), 0.2, seed=3
    )
    assert other.splits == hidden.splits


def test_labels_come_back_for_the_upper_bound_with_the_same_test(tmp_path):
    records = data.find_target_images(make_images(tmp_path, CLASSES, 10), CLASSES, data.find_records)
    hidden = data.hide_labels(records, 0.2, seed=3)
    revealed = data.split_records(data.reveal_labels(records, hidden), validation_fraction=0.2, seed=0)
    assert set(revealed.take(revealed.rows("test")).names) == set(hidden.take(hidden.rows("test")).names)
    np.testing.assert_array_equal(revealed.labels, records.labels)
