import errno
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tl_keras.cli.annotated_images import AnnotatedImages, name_copies
from tl_keras.errors import InputError, RunStopped
from tl_keras.runs.result_folders import ORIGIN
from tl_keras.tasks.object_detection import ObjectDetection

CAT = ("cat", 0.75, [1.0, 2.0, 11.0, 22.0])


def open_images(folder, items, class_names=("cat", "dog"), model="a"):
    path = folder.parent / f"run-{model}"
    path.mkdir(exist_ok=True)
    (path / "model.keras").write_text(model)
    run = SimpleNamespace(task=ObjectDetection(), class_names=class_names, folder=path)
    return AnnotatedImages(run, str(folder), items)


@pytest.fixture
def items(tmp_path):
    """Two images of the same name in two folders."""
    paths = [tmp_path / folder / "a.jpg" for folder in ("one", "other")]
    for path in paths:
        path.parent.mkdir()
        Image.new("RGB", (40, 30)).save(path)
    return list(map(str, paths))


def test_images_of_the_same_name_do_not_replace_each_other(items, tmp_path):
    open_images(tmp_path / "drawn", items).draw_all([(items[0], [CAT]), (items[1], [])])
    first, second = (np.asarray(Image.open(tmp_path / "drawn" / name)) for name in ("a.png", "a-2.png"))
    assert first.shape == (330, 440, 3) and first.any() and not second.any()


def test_a_number_that_another_file_has_is_not_taken():
    files = ["x/a.jpg", "y/a.jpg", "a-2.jpg", "x/a.jpg"]
    assert name_copies(files) == {"x/a.jpg": "a.png", "y/a.jpg": "a-2.png", "a-2.jpg": "a-2-2.png"}


def test_names_without_a_font_are_explained_beside_the_images(items, tmp_path):
    open_images(tmp_path / "drawn", items, ("cat", "\ue123"))
    assert (tmp_path / "drawn" / "classes.txt").read_text(encoding="utf-8") == "#2 \ue123\n"


def test_a_folder_that_cannot_be_made_is_one_sentence(items, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write to .*give --annotated another folder"):
        open_images(tmp_path / "file", items)


def test_images_of_another_call_are_refused_and_those_of_the_same_call_replaced(items, tmp_path):
    open_images(tmp_path / "drawn", items).draw_all([(item, [CAT]) for item in items])
    with pytest.raises(InputError, match="--annotated .* of another call, such as 'a-2.png': give a new folder"):
        open_images(tmp_path / "drawn", items[:1])
    with pytest.raises(InputError, match="--annotated .* holds results of another run or call, such as 'a-2.png'"):
        open_images(tmp_path / "drawn", items, model="b")
    images = open_images(tmp_path / "drawn", items)
    images.remove(items)
    assert os.listdir(tmp_path / "drawn") == [ORIGIN]
    images.draw(items[1], [])
    assert set(os.listdir(tmp_path / "drawn")) == {"a-2.png", ORIGIN}


@pytest.mark.parametrize("name", ["a.png", "classes.txt"])
def test_a_file_of_the_user_is_not_replaced(name, items, tmp_path):
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / name).write_text("mine")
    with pytest.raises(InputError, match=f"--annotated .* holds results of another run or call, such as '{name}'"):
        open_images(tmp_path / "drawn", items, ("cat", "\ue123"))
    assert (tmp_path / "drawn" / name).read_text() == "mine"


def test_an_input_is_not_replaced_by_its_copy(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="would replace .*a.png', an input: give another folder"):
        open_images(tmp_path, [str(tmp_path / "a.png")])


def test_a_full_disk_says_how_many_images_were_drawn(items, tmp_path, monkeypatch):
    images, draw = open_images(tmp_path / "drawn", items), ObjectDetection.draw_prediction

    def draw_first(task, run, item, *rest):
        if item == items[1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        draw(task, run, item, *rest)

    monkeypatch.setattr(ObjectDetection, "draw_prediction", draw_first)
    message = "The disk is full: the predictions are complete, but only 1 of 2 annotated images .* repeat the command"
    with pytest.raises(RunStopped, match=message):
        images.draw_all([(item, [CAT]) for item in items])


def test_long_names_are_cut_and_numbered():
    files = [f"{folder}/{'ä' * 126}{ending}" for folder in "xy" for ending in ("", "b")]
    endings = (".png", "-2.png", "-3.png", "-4.png")
    assert list(name_copies(files).values()) == ["ä" * 100 + ending for ending in endings]


def test_the_time_of_many_equal_names_is_not_that_of_their_pairs():
    start = time.process_time()
    names = name_copies(f"{number}/a.jpg" for number in range(20_000))
    assert names["19999/a.jpg"] == "a-20000.png" and time.process_time() - start < 5
