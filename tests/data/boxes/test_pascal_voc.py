import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.find import find_boxes
from tl_keras.errors import InputError


def write_xml(path, *objects, size=(40, 30), file_name="x.jpg"):
    things = "".join(
        f"<object><name>{name}</name>{extra}<bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for name, (a, b, c, d), extra in objects
    )
    size = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{file_name}</filename>{size}{things}</annotation>", encoding="utf-8")


@pytest.fixture
def challenge(tmp_path):
    """Writes a folder in the layout of the challenge."""
    for number in range(3):
        save_image(tmp_path / "JPEGImages" / f"{number}.png")
    write_xml(tmp_path / "Annotations" / "0.xml", ("dog", (1, 1, 40, 30), ""), ("cat", (5, 6, 9, 9), ""))
    write_xml(tmp_path / "Annotations" / "1.xml", ("dog", (3, 3, 9, 9), "<difficult>1</difficult>"))
    main = tmp_path / "ImageSets" / "Main"
    main.mkdir(parents=True)
    (main / "train.txt").write_text("0\n")
    (main / "val.txt").write_text("1\n")
    (main / "trainval.txt").write_text("0\n1\n")
    return tmp_path


def test_layout_of_the_challenge(challenge):
    records = find_boxes(challenge)
    assert records.names == ["JPEGImages/0.png", "JPEGImages/1.png"] and records.splits == ["train", "validation"]
    assert records.class_names == ("cat", "dog") and records.labels[0].tolist() == [1, 0]
    # Pixels are counted from 1, and the last one belongs to the box.
    assert records.boxes[0].tolist() == [[0, 0, 40, 30], [4, 5, 9, 9]] and len(records.boxes[1]) == 0
    assert records.notes[:2] == ("Left out 1 object marked as difficult.", "Left out 1 image without an XML file.")


@pytest.mark.parametrize("line", ["0.png", "0.xml", "JPEGImages/0.png", r".\JPEGImages\0.png", "0  1", "0.png -1"])
def test_lists_with_endings_folders_and_marks(challenge, line):
    (challenge / "ImageSets" / "Main" / "train.txt").write_text(f"{line}\n")
    assert find_boxes(challenge).splits == ["train", "validation"]


def test_lists_beside_main_and_names_with_dots_and_spaces(challenge):
    (challenge / "ImageSets" / "Main").rename(challenge / "Lists")
    (challenge / "ImageSets" / "train.txt").write_text("\ufeffscene 2008.07\n", encoding="utf-8")
    save_image(challenge / "JPEGImages" / "scene 2008.07.png")
    write_xml(challenge / "Annotations" / "scene 2008.07.xml", ("dog", (1, 1, 40, 30), ""))
    records = find_boxes(challenge)
    assert records.names == ["JPEGImages/scene 2008.07.png"] and records.splits == ["train"]
    assert "Left out 2 images that no list in ImageSets names." in records.notes


@pytest.mark.parametrize(("text", "place"), [("x7\nx8\n", r"val.txt \(x7\)"), ("", "val.txt")])
def test_a_list_that_matches_nothing_is_refused(challenge, text, place):
    (challenge / "ImageSets" / "Main" / "val.txt").write_text(text)
    with pytest.raises(InputError, match=f"a list of a split that matches no XML file at {place}: list the names"):
        find_boxes(challenge)


def test_lists_that_match_in_part_are_noted_and_that_share_an_image_refused(challenge):
    (challenge / "ImageSets" / "Main" / "val.txt").write_text("1\n8\n")
    assert "In val.txt 1 of 2 names has no XML file." in find_boxes(challenge).notes
    (challenge / "ImageSets" / "Main" / "val.txt").write_text("0\n1\n")
    with pytest.raises(InputError, match=r"an image in two lists of ImageSets at 0 \(train, validation\)"):
        find_boxes(challenge)


def test_a_box_at_zero_shows_that_pixels_count_from_zero(challenge):
    (challenge / "ImageSets" / "Main" / "train.txt").write_text("0\n2\n")
    write_xml(challenge / "Annotations" / "2.xml", ("dog", (0, 3, 9, 9), ""))
    assert find_boxes(challenge).boxes[0].tolist() == [[1, 1, 40, 30], [5, 6, 9, 9]]


def test_images_and_xml_files_in_split_folders(tmp_path):
    for split, name in (("train", "a"), ("valid", "b")):
        save_image(tmp_path / split / f"{name}.png")
        write_xml(tmp_path / split / f"{name}.xml", ("dog", (1, 1, 9, 9), ""))
    save_image(tmp_path / "train" / "c.png")
    write_xml(tmp_path / "train" / "c.xml", size=(0, 0))
    records = find_boxes(tmp_path)
    assert records.names == ["train/a.png", "train/c.png", "valid/b.png"]
    assert records.splits == ["train", "train", "validation"]
    assert records.boxes[0].tolist() == [[1, 1, 9, 9]] and len(records.boxes[1]) == 0


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb">]><annotation><filename>&b;</filename></annotation>'


@pytest.mark.parametrize("text", ["<annotation>", "<other/>", "", BOMB], ids=["cut", "other", "empty", "entities"])
def test_files_that_are_not_voc_are_named_or_skipped(challenge, text):
    (challenge / "Annotations" / "2.xml").write_text(text)
    with pytest.raises(InputError, match="not Pascal VOC's XML at Annotations/2.xml"):
        find_boxes(challenge)
    records = find_boxes(challenge, on_bad_file="skip")
    assert len(records) == 2 and records.skipped == (("Annotations/2.xml", "a file that is not Pascal VOC's XML"),)


def test_problems_name_the_object(challenge):
    (challenge / "ImageSets" / "Main" / "train.txt").write_text("0\n2\n9\n")
    write_xml(challenge / "Annotations" / "2.xml", *[("dog", (1, 1, 9, 9), "")] * 9, ("dog", (9, 9, "x", 5), ""))
    write_xml(challenge / "Annotations" / "9.xml", ("dog", (9, 9, 12, 12), ""))
    with pytest.raises(InputError, match="missing image at Annotations/9.jpg: .*number at Annotations/2.xml object 10"):
        find_boxes(challenge)


def test_declared_size(challenge):
    (challenge / "ImageSets" / "Main" / "train.txt").write_text("0\n2\n9\n")
    write_xml(challenge / "Annotations" / "2.xml", size=(30, 40))
    with pytest.raises(InputError, match=r"JPEGImages/2.png \(40 × 30, not 30 × 40\)"):
        find_boxes(challenge)
