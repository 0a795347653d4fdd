import numpy as np
import pytest

from tl_keras.models.detection.targets.anchors import AnchorGrid, make_anchors


def test_anchors_are_centred_on_cells_in_row_order():
    anchors = make_anchors(64, 16, [8, 32], [0.5, 1.0, 2.0]).reshape(4, 4, 2, 3, 4)
    for row, column, size, ratio in np.ndindex(4, 4, 2, 3):
        left, top, right, bottom = anchors[row, column, size, ratio]
        assert (left + right) / 2 == pytest.approx(16 * column + 8)
        assert (top + bottom) / 2 == pytest.approx(16 * row + 8)
        assert (bottom - top) / (right - left) == pytest.approx([0.5, 1.0, 2.0][ratio])
        assert (bottom - top) * (right - left) == pytest.approx([64, 1024][size], rel=1e-5)


def test_a_map_of_rounded_up_size_is_covered():
    assert len(make_anchors(70, 64, [8], [1.0])) == 4


def test_a_grid_concatenates_its_levels():
    grid = AnchorGrid(64, (16, 32), ((8.0, 10.0), (32.0, 40.0)), (1.0, 2.0))
    assert [len(level) for level in grid.levels()] == [64, 16]
    assert grid.per_cell == 4
    np.testing.assert_array_equal(grid.all()[64:], make_anchors(64, 32, [32, 40], [1.0, 2.0]))


@pytest.mark.parametrize("size", [1e9, float("nan")])
def test_a_grid_of_too_many_anchors_is_refused_before_they_are_computed(size):
    assert AnchorGrid(4096, (4, 8, 16, 32, 64), ((8.0,),) * 5, (0.5, 1.0, 2.0)).per_cell == 3
    with pytest.raises(ValueError, match="more than 8,388,608 anchors"):
        AnchorGrid(size, (4,), ((8.0,),), (1.0,))
