import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.find import find_boxes
from tl_keras.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "val"):
        for name in ("a", "b"):
            save_image(tmp_path / "images" / split / f"{name}.png")
        label = tmp_path / "labels" / split / "a.txt"
        label.parent.mkdir(parents=True)
        label.write_text("1 0.5 0.5 0.5 0.2\n\n0 0.1 0.1 0.3 0.1 0.3 0.4 0.1 0.4\n")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n")
    (tmp_path / "other.yaml").write_text("batch: 3\n")
    return tmp_path


@pytest.mark.parametrize("part", ["", "data.yaml"])
def test_boxes_outlines_and_images_without_boxes(folder, part):
    records = find_boxes(folder / part)
    assert records.names == ["images/train/a.png", "images/train/b.png", "images/val/a.png", "images/val/b.png"]
    assert records.splits == ["train", "train", "validation", "validation"]
    assert records.class_names == ("cat", "dog") and records.labels[0].tolist() == [1, 0]
    assert records.boxes[0].round(4).tolist() == [[10, 12, 30, 18], [4, 3, 12, 12]]
    assert len(records.boxes[1]) == 0


def test_the_folder_of_one_split_is_read_by_the_file_above(folder):
    for layout in ("images/train", "train/images"):
        (folder / layout).parent.mkdir(exist_ok=True)
        if layout == "train/images":
            (folder / "images" / "train").rename(folder / layout)
            (folder / "labels" / "train").rename(folder / "train" / "labels")
        records = find_boxes(folder / ("images/train" if layout == "images/train" else "train"))
        assert records.names == [f"{layout}/a.png", f"{layout}/b.png"] and records.splits == ["", ""]
        assert records.class_names == ("cat", "dog") and len(records.boxes[0]) == 2


def test_a_folder_of_images_without_labels_is_no_part_of_a_data_set(folder):
    (folder / "images" / "val" / "a.png").unlink()
    with pytest.raises(InputError, match="images/val has no boxes"):
        find_boxes(folder / "images" / "val")


@pytest.mark.parametrize(
    "text",
    [
        "train: ../images/train\nval: images/val\nnames: {0: cat, 1: dog}\n",
        "path: /nowhere/at/all\ntrain: [images/train]\nvalid: images/val\nnames:\n- cat\n- dog\n",
        "train: train.txt\nval: images/val\nnames: [cat, dog]\n",
    ],
)
def test_forms_of_paths(folder, text):
    (folder / "train.txt").write_text("/content/set/images/train/a.png\n.\\images\\train\\b.png\n")
    (folder / "data.yaml").write_text(text)
    records = find_boxes(folder)
    assert len(records) == 4 and records.class_names == ("cat", "dog")


def test_only_the_last_folder_named_images_is_replaced_by_labels(folder, tmp_path):
    inner = tmp_path / "images" / "inner"
    inner.mkdir()
    for name in ("images/train", "images/val", "labels", "data.yaml"):
        (inner / name).parent.mkdir(exist_ok=True)
        (folder / name).rename(inner / name)
    assert len(find_boxes(inner).boxes[0]) == 2


def test_a_single_split_is_undecided(folder):
    (folder / "data.yaml").write_text("train: images/train\nval:\nnames: [cat, dog]\n")
    assert find_boxes(folder).splits == ["", ""]


def test_a_test_folder_that_an_export_names_but_lacks_is_noted(folder):
    text = "train: images/train\nval: images/val\ntest: ../test/images\nnames: {'0': cat, \"1\": dog}\n"
    (folder / "data.yaml").write_text(text)
    records = find_boxes(folder)
    assert records.class_names == ("cat", "dog") and set(records.splits) == {"train", "validation"}
    note = "data.yaml gives test: ../test/images, which is missing: the data have no test split of their own."
    assert note in records.notes


def pose(folder, shape, *lines):
    text = f"train: images/train\nval: images/val\nkpt_shape: {shape}\nnames: [cat, dog]\n"
    (folder / "data.yaml").write_text(text)
    for split in ("train", "val"):
        (folder / "labels" / split / "a.txt").write_text("\n".join(lines))


@pytest.mark.parametrize("shape", ["[2, 3]", "[3, 2]"])
def test_keypoints_after_the_box_are_ignored(folder, shape):
    pose(folder, shape, "1 0.5 0.5 0.5 0.2 0.1 0.1 2 0.9 0.9 2", "0 0.5 0.5 0.2 0.2")
    assert find_boxes(folder).boxes[0].round(4).tolist() == [[10, 12, 30, 18], [16, 12, 24, 18]]


def test_keypoints_of_another_shape_are_refused(folder):
    pose(folder, "[2, 3]", "1 0.5 0.5 0.5 0.2 0.1 0.1 0.9 0.9")
    message = r"without the 6 numbers of kpt_shape after its box at labels/train/a.txt line 1 \(8 numbers"
    with pytest.raises(InputError, match=message):
        find_boxes(folder)


def test_lines_that_are_doubled_count_once(folder):
    (folder / "labels" / "train" / "b.txt").write_text("0 0.5 0.5 0.5 0.2\n" * 3 + "1 0.5 0.5 0.5 0.2\n")
    records = find_boxes(folder)
    assert records.labels[1].tolist() == [0, 1]
    assert "Left out 2 of 8 boxes that their image lists twice." in records.notes


@pytest.mark.parametrize(
    ("numbers", "other"), [("0.6 0.7 0.9 0.8", "xyxy"), ("0.1 0.3 0.6 0.2", "xywh")], ids=["xyxy", "xywh"]
)
def test_other_formats_of_fractions_are_recognised(folder, numbers, other):
    for split in ("train", "val"):
        (folder / "labels" / split / "a.txt").write_text(f"0 {numbers}\n1 {numbers}\n")
    message = f"look like {other} .* but are read as center_xywh .*: as center_xywh, 4 of 4 .*: convert them"
    with pytest.raises(InputError, match=message):
        find_boxes(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0.5 0.5 0.5 0.2", r"class number that data.yaml does not name at labels/train/b.txt line 1 \(2\)"),
        ("0.5 0.5 0.5 0.5 0.2", "class number that data.yaml does not name"),
        ("0 0.5 x 0.5 0.2", "not all numbers at labels/train/b.txt line 1"),
        ("0 0.5 0.5 0.2", "neither four numbers nor an outline"),
        ("0 0.5 0.5 0.2 0.0", "zero area at labels/train/b.txt line 1"),
        ("0 nan 0.5 0.2 0.1", "NaN .* at labels/train/b.txt line 1"),
        ("\n".join(["0 20 15 10 10"] * 9), "boxes in pixels"),
    ],
)
def test_bad_labels(folder, line, message):
    (folder / "labels" / "train" / "b.txt").write_text(line)
    with pytest.raises(InputError, match=message):
        find_boxes(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: images/train\nnames: 3\n", "names no classes"),
        ("train: images/train\nnames: [cat, cat]\n", "has a name twice"),
        ("train: images/train\nnames: {'0': cat, 0: dog}\n", "has a number twice"),
        ("train: images/train\nnames: [cat]\nkpt_shape: 17\n", "kpt_shape: 17, expected two numbers"),
        ("names: [cat, dog]\n", "names no images"),
        ("train: images/trian\nnames: [cat, dog]\n", "gives train: images/trian, but .* is missing"),
        ("train: labels\nnames: [cat, dog]\n", "which has no images"),
        ("train: [\nnames: [cat\n", "as YAML"),
    ],
)
def test_bad_yaml_files(folder, text, message):
    (folder / "data.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        find_boxes(folder / "data.yaml")
    assert "\n" not in str(caught.value)


def test_accents_are_in_one_encoding(folder):
    text = "train: images/train\nval: images/val\nnames: [cat, cafe\u0301]\n"
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    assert find_boxes(folder).class_names == ("cat", "caf\u00e9")


def test_classes_may_be_named_yes_and_no(folder):
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [no, yes]\n")
    assert find_boxes(folder).class_names == ("no", "yes")


@pytest.mark.parametrize(
    "text", ["names: [cat]\nnames: [dog]\n", "names: &a [x]\ntrain: *a\n", "names: " + "[" * 10**5]
)
def test_ambiguous_yaml_is_refused(folder, text):
    (folder / "data.yaml").write_text(text)
    with pytest.raises(InputError, match="Cannot read .*data.yaml as YAML: found"):
        find_boxes(folder)


OUTSIDE = ["train: ../secret", "train: {0}/secret", "path: ../secret\ntrain: ."]
OUTSIDE += ["train: ../secret/list.txt", "train: list.txt"]


@pytest.mark.parametrize("text", OUTSIDE)
def test_files_outside_of_the_folder_are_refused_unread(tmp_path, text):
    save_image(tmp_path / "secret" / "photo.png")
    (tmp_path / "secret" / "list.txt").write_text("a secret\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "list.txt").write_text("../secret/photo.png\n")
    (tmp_path / "inner" / "data.yaml").write_text(f"{text.format(tmp_path)}\nnames: [cat, dog]\n")
    with pytest.raises(InputError, match="which is outside of its folder: if you trust the file") as error:
        find_boxes(tmp_path / "inner")
    assert "a secret" not in str(error.value)


@pytest.mark.parametrize("text", OUTSIDE[:3])
def test_a_file_that_its_user_names_may_name_images_elsewhere(tmp_path, text):
    save_image(tmp_path / "secret" / "photo.png")
    (tmp_path / "secret" / "photo.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "data.yaml").write_text(f"{text.format(tmp_path)}\nnames: [cat, dog]\n")
    records = find_boxes(tmp_path / "inner" / "data.yaml")
    assert records.names == ["photo.png"]
    note = f"data.yaml names images outside of its own folder: they are read from {tmp_path / 'secret'}."
    assert note in records.notes
