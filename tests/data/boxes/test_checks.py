import numpy as np
import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.checks import Annotations, BoxAnnotation, ImageAnnotation, check_boxes
from tl_keras.data.data_errors import Faults
from tl_keras.errors import InputError

NAN = float("nan")


@pytest.fixture
def draw(tmp_path):
    """Makes an image of 40 × 30 pixels with annotated boxes."""

    def make(*boxes, name="a.png", label="cat", **attributes):
        path = save_image(tmp_path / name)
        annotations = [BoxAnnotation(box, label, f"{name} box {number}") for number, box in enumerate(boxes, start=1)]
        return ImageAnnotation(path, name, boxes=annotations, **attributes)

    return make


def check(*images, **options):
    skips = {name: options.pop(name) for name in ("on_bad_box", "on_bad_file") if name in options}
    return check_boxes(Annotations(list(images), Faults("The data"), **options), **skips)


def test_records(draw):
    images = [draw((1, 2, 11, 12), name="a.png", split="train"), draw(name="b.png"), draw((0, 0, 5, 5), label="ant")]
    records = check(images[0], images[1], ImageAnnotation(images[2].source, "c.png", "test", None, images[2].boxes))
    assert records.class_names == ("ant", "cat") and records.names == ["a.png", "b.png", "c.png"]
    assert [boxes.tolist() for boxes in records.boxes] == [[[1, 2, 11, 12]], [], [[0, 0, 5, 5]]]
    assert [labels.tolist() for labels in records.labels] == [[1], [], [0]]
    assert all(boxes.dtype == "float32" and boxes.shape[1] == 4 for boxes in records.boxes)
    assert all(labels.dtype == "int32" for labels in records.labels)
    assert records.sizes.tolist() == [[30, 40]] * 3 and records.splits == ["train", "", "test"]
    assert records.notes == ("1 of 3 images has no box; it is kept, as background.",)


def test_all_problems_are_reported_in_one_message(draw):
    good = [(1, 1, 9, 9)] * 20
    images = [
        draw(*good, (NAN, 0, 5, 5), (9, 9, 3, 3), (4, 4, 4, 9), (50, 0, 60, 9)),
        draw(*good, name="size.png", declared_size=(31, 40)),
        draw(*good, name="twice.png"),
        draw(*good, name="twice.png"),
        ImageAnnotation("nowhere.png", "nowhere.png"),
    ]
    with pytest.raises(InputError) as caught:
        check(*images)
    message = str(caught.value)
    for part in (
        "a box with NaN or without a number at a.png box 21",
        "a box of negative width or height at a.png box 22",
        "a box of zero area at a.png box 23",
        "a box outside of its image at a.png box 24",
        "an image of another size than its labels say at size.png (40 × 30, not 40 × 31)",
        "an image that is listed twice, or in two splits at twice.png",
        "a missing image at nowhere.png",
        "--detection.on_bad_box skip",
        "--data.on_bad_file skip",
    ):
        assert part in message
    assert "\n" not in message


def test_bad_boxes_and_files_can_be_skipped(draw):
    images = [draw((1, 1, 9, 9), (NAN,) * 4, (4, 4, 4, 9)), ImageAnnotation("nowhere.png", "nowhere.png")]
    images += [draw((1, 1, 9, 9), name="size.png", declared_size=(31, 40))]
    records = check(*images, on_bad_box="skip", on_bad_file="skip")
    assert records.names == ["a.png"] and records.boxes[0].tolist() == [[1, 1, 9, 9]]
    assert records.notes == ("Left out 2 of 3 boxes that cannot be used.",)
    assert records.skipped == (
        ("nowhere.png", "a missing image"),
        ("size.png", "an image of another size than its labels say: size.png (40 × 30, not 40 × 31)"),
    )


@pytest.mark.parametrize("argument", ["detection.on_bad_box", "data.on_bad_file"])
def test_an_unknown_value_is_refused(draw, argument):
    with pytest.raises(InputError, match=f"{argument} 'skipp'.*'skip'"):
        check(draw((1, 1, 2, 2)), **{argument.partition(".")[2]: "skipp"})


def test_boxes_that_leave_their_image_are_clipped_and_counted(draw):
    records = check(draw((-3, -2, 10, 10), (30, 20, 45, 30), *[(1, 1, 9, 9 + n) for n in range(9)]))
    assert records.boxes[0][:2].tolist() == [[0, 0, 10, 10], [30, 20, 40, 30]]
    assert records.notes == ("Clipped 2 of 11 boxes that left their image.",)


@pytest.mark.parametrize(
    ("box_format", "other", "boxes"),
    [
        # Small boxes far from the corner have right < left.
        ("xyxy", "xywh", [(20, 15, 5, 5), (30, 20, 8, 8), (10, 12, 6, 6), (2, 2, 20, 20)]),
        # Large boxes far from the corner have left + right outside of the image.
        ("xywh", "xyxy", [(20, 15, 39, 29), (25, 2, 33, 22), (1, 2, 10, 12)]),
    ],
)
def test_a_wrong_format_is_recognised(draw, box_format, other, boxes):
    with pytest.raises(InputError, match=f"look like {other} .* read as {box_format} .*--detection.box_format {other}"):
        check(draw(*boxes), box_format=box_format)
    assert len(check(draw(*boxes), box_format=other).boxes[0]) == len(boxes)


def test_single_bad_boxes_do_not_suggest_another_format(draw):
    with pytest.raises(InputError, match="negative width") as caught:
        check(draw((20, 15, 5, 5), *[(1, 1, 39, 29)] * 20))
    assert "look like" not in str(caught.value)


def test_fractions_for_pixels_and_pixels_for_fractions_are_recognised(draw):
    with pytest.raises(InputError, match="boxes as fractions of the image: write them in pixels"):
        check(draw((0.1, 0.1, 0.4, 0.5)))
    with pytest.raises(InputError, match="boxes in pixels: write them as fractions"):
        check(draw((20, 15, 5, 5)), box_format="relative_center_xywh")


def test_class_names_keep_their_order_and_unused_ones_are_left_out(draw):
    records = check(draw((1, 1, 2, 2), label="cat"), class_names=("dog", "cat", "ant"))
    assert records.class_names == ("cat",) and records.labels[0].tolist() == [0]
    assert records.notes == ("Left out, for no image shows it: dog; ant.",)


def test_images_that_cannot_be_read_are_left_to_the_decoder(draw, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    broken = ImageAnnotation(str(tmp_path / "broken.png"), "broken.png", "", (30, 40), draw((1, 1, 9, 9)).boxes)
    records = check(draw((1, 1, 9, 9)), broken)
    assert records.sizes.tolist() == [[30, 40], [0, 0]] and np.array_equal(records.boxes[0], records.boxes[1])


def test_data_without_boxes_or_images_are_refused(draw):
    with pytest.raises(InputError, match="no image has a box"):
        check(draw())
    with pytest.raises(InputError, match="no images with labels"):
        check()


def test_faults_of_the_reader_are_reported_too(draw):
    faults = Faults("The file x")
    faults.add("an unknown id", "annotation 7")
    with pytest.raises(InputError, match="The file x cannot be used: an unknown id at annotation 7: .*; .*zero area"):
        check_boxes(Annotations([draw((4, 4, 4, 9))], faults))
