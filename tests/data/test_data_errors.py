import pytest

from tl_keras.data.data_errors import MAX_PLACES, Faults
from tl_keras.errors import InputError


def test_no_problem_raises_nothing():
    Faults("The table x").raise_if_any()


def test_all_problems_are_reported_in_one_message_each_before_its_advice():
    faults = Faults("The table x")
    faults.add("a box of zero area", "line 2", "correct it")
    faults.add("no label", "line 3", "name it")
    faults.add("a box of zero area", "line 9", "correct it")
    faults.add("a box outside", "line 4", "correct it")
    with pytest.raises(InputError) as caught:
        faults.raise_if_any()
    expected = (
        "The table x cannot be used: a box of zero area at line 2, line 9; a box outside at line 4: correct it; "
        "no label at line 3: name it."
    )
    assert str(caught.value) == expected


def test_further_places_are_counted():
    faults = Faults("x")
    for number in range(MAX_PLACES + 1200):
        faults.add("a fault", f"line {number}")
    with pytest.raises(InputError, match="line 7 and 1,200 more"):
        faults.raise_if_any()
