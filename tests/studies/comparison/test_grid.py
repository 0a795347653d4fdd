import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.studies.comparison.grid import (
    draw_images,
    draw_rows,
    fit_budgets,
    list_cells,
    parse_budgets,
    parse_methods,
)
from tl_keras.studies.comparison.terms import BOXES, CLASSES

LABELS = np.repeat([0, 1, 2], [40, 12, 6])


def test_budgets_are_sorted_and_methods_ordered():
    assert parse_budgets("all, 20,5,05", CLASSES) == ("5", "20", "all")
    assert parse_methods("scratch,auto", CLASSES) == ("auto", "scratch")


@pytest.mark.parametrize("text", ["5,many", "0", "-3", "1.5", ",", "9" * 5000])
def test_wrong_budgets_are_one_sentence(text):
    with pytest.raises(InputError, match=r"--budgets.*such as 5,20,all"):
        parse_budgets(text, CLASSES)


def test_unknown_methods_name_the_nearest():
    with pytest.raises(InputError, match="did you mean 'fine_tuning'"):
        parse_methods("fine_tunning", CLASSES)
    with pytest.raises(InputError, match="--methods names no method"):
        parse_methods(" ,", CLASSES)


@pytest.mark.parametrize("name", ["solved_head", "auto", "random_weights"])
def test_methods_of_classifiers_are_refused_for_boxes(name):
    with pytest.raises(InputError, match=f"{name}, which .*give some of progressive_unfreezing,scratch,fine_tuning"):
        parse_methods(f"scratch,{name}", BOXES)
    assert parse_methods("fine_tuning,scratch,progressive_unfreezing", BOXES)[0] == "progressive_unfreezing"


def test_budgets_above_the_data_are_refused_or_left_out():
    with pytest.raises(InputError, match="The budget 40 in --budgets.*the largest class has 40"):
        fit_budgets(("5", "40", "all"), np.bincount(LABELS), CLASSES, are_given=True)
    with pytest.raises(InputError, match="The budget 50 in --budgets needs more images: there are 40 for training"):
        fit_budgets(("10", "50"), np.array([40]), BOXES, are_given=True)
    budgets, notes = fit_budgets(("5", "10", "50", "all"), np.bincount(LABELS), CLASSES, are_given=False)
    assert budgets == ("5", "10", "all")
    assert notes == ("1 of 3 classes has fewer than 10 labels: all of these are taken.",)


def test_draws_are_nested_and_have_the_labels_of_their_budget():
    small, large = draw_rows(LABELS, "5", 0), draw_rows(LABELS, "10", 0)
    assert np.bincount(LABELS[small]).tolist() == [5, 5, 5]
    assert np.bincount(LABELS[large]).tolist() == [10, 10, 6]
    assert set(small) < set(large)
    assert set(small) != set(draw_rows(LABELS, "5", 1)), "another draw has other examples"
    assert len(draw_rows(LABELS, "all", 1)) == len(LABELS)


def test_draws_of_images_are_nested_and_each_has_a_box():
    has_boxes = np.arange(30) == 7
    draws = [draw_images(has_boxes, "3", draw) for draw in range(5)]
    assert all(7 in rows and len(set(rows)) == 3 for rows in draws) and len(set(map(tuple, draws))) == 5
    assert set(draws[0]) < set(draw_images(has_boxes, "9", 0))
    assert draw_images(has_boxes, "all", 1).tolist() == list(range(30))


def test_a_whole_draw_comes_before_the_next():
    cells = list_cells(("auto", "scratch"), ("5", "all"), 2)
    assert [str(cell) for cell in cells[:4]] == ["auto-5-0", "scratch-5-0", "auto-all-0", "scratch-all-0"]
    assert len(cells) == 8
