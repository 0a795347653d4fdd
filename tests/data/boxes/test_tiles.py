import numpy as np
import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.boxes.tiles import boxes_inside, tile_boxes
from tl_keras.data.images.decoding import read_upright
from tl_keras.errors import InputError


@pytest.fixture
def records(tmp_path):
    """Makes records of an image of 50 × 32 pixels, to be cut, and of one of 16 × 16, which is small enough."""
    return BoxRecords(
        sources=[save_image(tmp_path / "large.png", 50, 32), save_image(tmp_path / "small.png", 16, 16)],
        names=["large.png", "small.png"],
        boxes=[np.array([[2, 2, 10, 10], [10, 10, 30, 20]], np.float32), np.zeros((0, 4), np.float32)],
        labels=[np.array([1, 0], np.int32), np.zeros(0, np.int32)],
        sizes=np.array([[32, 50], [16, 16]], np.int32),
        splits=["train", "test"],
        class_names=("a", "b"),
    )


def test_tiles(records):
    tiles = tile_boxes(records, 20)
    corners = [(left, top) for top in (0, 12) for left in (0, 15, 30)]
    assert tiles.names == [f"large.png@{left},{top}" for left, top in corners] + ["small.png"]
    assert tiles.sizes.tolist() == [[20, 20]] * 6 + [[16, 16]] and tiles.splits == ["train"] * 6 + ["test"]
    whole = read_upright(records.sources[0])
    for (left, top), source in zip(corners, tiles.sources, strict=False):
        np.testing.assert_array_equal(read_upright(source), whole[top : top + 20, left : left + 20])
    assert tiles.sources[-1] == records.sources[-1]
    # The second box is half in the first tile and three quarters in the second one.
    assert tiles.boxes[0].tolist() == [[2, 2, 10, 10], [10, 10, 20, 20]] and tiles.labels[0].tolist() == [1, 0]
    assert tiles.boxes[1].tolist() == [[0, 10, 15, 20]] and tiles.labels[1].tolist() == [0]
    assert [len(boxes) for boxes in tiles.boxes] == [2, 1, 0, 1, 1, 0, 0]


def test_a_larger_share_keeps_fewer_boxes(records):
    assert [len(boxes) for boxes in tile_boxes(records, 20, min_share=0.7).boxes] == [1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("min_overlap", "tiles"), [(0, 3 * 2), (5, 3 * 2), (10, 4 * 3)])
def test_neighbours_share_at_least_the_minimum(records, min_overlap, tiles):
    result = tile_boxes(records.take([0]), 20, min_overlap=min_overlap)
    lefts = sorted({int(name.split("@")[1].split(",")[0]) for name in result.names})
    assert len(result) == tiles and lefts[0] == 0 and lefts[-1] == 30 and max(np.diff(lefts)) <= 20 - min_overlap


def test_boxes_inside():
    boxes, indices = boxes_inside(np.array([[0, 0, 10, 10], [8, 8, 12, 12]], np.float32), (6, 6, 20, 20), 0.5)
    assert boxes.tolist() == [[2, 2, 6, 6]] and indices.tolist() == [1]


@pytest.mark.parametrize("options", [{"tile_size": 0}, {"min_overlap": 20}, {"min_share": 0}])
def test_numbers_out_of_range(records, options):
    with pytest.raises(InputError, match="Tiles of"):
        tile_boxes(records, **{"tile_size": 20} | options)
