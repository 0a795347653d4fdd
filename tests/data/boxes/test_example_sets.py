import pytest

from tl_keras.data.boxes import example_sets as box_examples
from tl_keras.data.boxes.boxed_emoji import COUNTS, IMAGE_SIZE, KINDS, MAX_OBJECTS
from tl_keras.data.boxes.example_sets import BOX_EXAMPLES, box_example_path
from tl_keras.errors import InputError
from tl_keras.system.user_cache import user_cache


def test_an_example_is_created_once(tmp_path, monkeypatch):
    folders = []

    def make(folder):
        folder.mkdir()
        folders.append(folder)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(box_examples._MAKERS, "boxed_emoji", ("boxed_emoji-1", make))
    assert box_example_path("boxed_emoji") == box_example_path("boxed_emoji") == user_cache() / "boxed_emoji-1"
    assert len(folders) == 1


def test_unknown_example():
    with pytest.raises(InputError, match="did you mean 'tree_crowns'"):
        box_example_path("tree_crown")


def test_every_example_has_a_maker():
    assert set(BOX_EXAMPLES) == set(box_examples._MAKERS)


def test_the_description_of_the_emoji_is_right():
    expected = (
        f"{sum(COUNTS.values())} photographs, {IMAGE_SIZE} x {IMAGE_SIZE} pixels, with up to {MAX_OBJECTS} emoji of "
    )
    assert BOX_EXAMPLES["boxed_emoji"].startswith(expected + f"{len(KINDS)} kinds")
