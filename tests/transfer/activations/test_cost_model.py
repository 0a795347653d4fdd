import itertools
import math
import random

import pytest

from tl_keras.errors import InputError
from tl_keras.transfer.activations.cost_model import PhaseCost, Place, plan_cache

MEMORY = Place("memory", room=1e6, write_rate=math.inf, read_rate=1e6)


def plan(phases, *places, train=80, validation=20, **options):
    return plan_cache(phases, places or (MEMORY,), train, validation, **options)


def test_one_pass_by_hand():
    phases = [PhaseCost(3, "late", 0.4, 1000), PhaseCost(2, "early", 0.1, 5000)]
    found = plan(phases)
    # 100 examples: 3 * 100 * 0.4 + 2 * 100 * 0.1 s; the pass 100 * 0.4 s; reading 3 * 0.1 MB and 2 * 0.5 MB at 1 MB/s.
    assert found.seconds_uncached == pytest.approx(140)
    assert found.seconds_saved == pytest.approx(140 - 40 - 0.3 - 1.0)
    assert found.places == ("memory", "memory")
    assert found.one_pass
    assert found.num_bytes == 600_000


def test_writing_is_counted_once_for_each_cut():
    disk = Place("disk", 1e9, write_rate=1e5, read_rate=1e6)
    phases = [PhaseCost(3, "a", 0.4, 1000), PhaseCost(1, "a", 0.4, 1000)]
    assert plan(phases, disk).seconds_saved == pytest.approx(4 * 40 - 40 - 4 * 0.1 - 1.0)


def test_phases_of_one_cut_pay_together_what_neither_pays_alone():
    assert plan([PhaseCost(1, "a", 0.4, 1000)]).places == (None,)
    assert plan([PhaseCost(1, "a", 0.4, 1000)] * 2).places == ("memory", "memory")


def test_two_phases_of_one_epoch_share_the_pass():
    found = plan([PhaseCost(1, "late", 0.4, 1000), PhaseCost(1, "early", 0.3, 1000)])
    assert found.places == ("memory", "memory")
    assert found.seconds_saved == pytest.approx(30 - 2 * 0.1)


def test_a_deep_cut_that_does_not_pay_for_its_part_of_the_pass_is_left_out():
    # Reading "late" takes as long as computing it: the pass then stops at "early".
    phases = [PhaseCost(2, "late", 0.4, 400_000), PhaseCost(3, "early", 0.1, 1000)]
    found = plan(phases, Place("memory", 1e9, math.inf, 1e6))
    assert found.places == (None, "memory")
    assert found.reasons == ("computing in each epoch is faster", "")
    assert found.seconds_saved == pytest.approx(30 - 10 - 0.3)


def test_without_room_for_all_each_cut_has_its_own_pass():
    phases = [PhaseCost(4, "late", 0.4, 6000), PhaseCost(4, "early", 0.2, 8000)]
    found = plan(phases)
    assert (found.one_pass, found.places) == (False, ("memory", "memory"))
    assert found.seconds_saved == pytest.approx(3 * 40 - 4 * 0.6 + 3 * 20 - 4 * 0.8)
    assert found.num_bytes == 800_000


def test_what_saves_least_for_each_byte_is_left_out_first():
    # A pass of its own would take longer than the one epoch of "middle".
    phases = [PhaseCost(9, "late", 0.4, 3000), PhaseCost(1, "middle", 0.3, 6000), PhaseCost(2, "early", 0.2, 4000)]
    found = plan(phases)
    assert (found.one_pass, found.places) == (True, ("memory", None, "memory"))
    assert found.reasons == ("", "0.6 MB find no room beside the others", "")
    assert found.seconds_saved == pytest.approx(360 - 2.7 + 40 - 0.8 - 40)


def test_what_is_computed_faster_than_read_does_not_want_for_room():
    found = plan([PhaseCost(3, "late", 0.4, 1000), PhaseCost(1, "early", 1e-5, 5000)])
    assert found.places == ("memory", None)
    assert found.reasons == ("", "computing in each epoch is faster")


def test_what_finds_no_room_in_memory_goes_to_the_disk():
    disk = Place("disk", 1e9, write_rate=5e5, read_rate=5e5)
    phases = [PhaseCost(4, "late", 0.4, 6000), PhaseCost(4, "early", 0.2, 8000)]
    found = plan(phases, MEMORY, disk)
    assert (found.one_pass, found.places) == (True, ("memory", "disk"))
    assert found.seconds_saved == pytest.approx(240 - 40 - 4 * 0.6 - 1.6 - 4 * 1.6)


def test_a_slow_disk_is_not_used():
    found = plan([PhaseCost(4, "a", 0.01, 100_000)], Place("disk", 1e9, write_rate=1e6, read_rate=5e6))
    assert found.places == (None,)
    assert found.seconds_saved == 0


def test_what_an_earlier_run_stored_takes_no_room_and_no_pass():
    found = plan([PhaseCost(1, "a", 0.4, 1000, stored_in="disk")], MEMORY, Place("disk", 0, 1e6, 1e6))
    assert found.places == ("disk",)
    assert found.num_bytes == 0
    assert found.seconds_saved == pytest.approx(40 - 0.1)


def test_a_cut_whose_part_still_changes_has_a_pass_of_its_own():
    found = plan([PhaseCost(3, "late", 0.4, 1000), PhaseCost(3, "changing", 0.3, 1000, late=True)])
    assert (found.one_pass, found.places) == (True, ("memory", "memory"))
    assert found.seconds_saved == pytest.approx((3 - 1) * 40 - 0.3 + (3 - 1) * 30 - 0.3)
    found = plan([PhaseCost(3, "late", 0.4, 1000), PhaseCost(1, "changing", 0.3, 1000, late=True)])
    assert found.places == ("memory", None)
    assert found.reasons == ("", "computing in each epoch is faster")


@pytest.mark.parametrize(("views", "place"), [(1, "memory"), (5, "memory"), (6, None), (9, None)])
def test_views_cost_a_pass_over_the_training_images_each(views, place):
    found = plan([PhaseCost(5, "a", 0.1, 10)], views=views)
    assert found.places == (place,)
    if place:
        examples = 80 * views + 20
        assert found.seconds_saved == pytest.approx(50 - examples * 0.1 - 5 * 100 * 10 / 1e6)


def test_insisting_stores_what_does_not_pay():
    found = plan([PhaseCost(1, "a", 0.1, 1000), PhaseCost(1, None)], insist=True)
    assert found.places == ("memory", None)
    assert found.seconds_saved < 0


def test_insisting_without_room_is_refused():
    with pytest.raises(InputError, match=r"take up to 10\.0 MB, but there is room for 1\.0 MB in memory: give"):
        plan([PhaseCost(9, "a", 0.1, 100_000)], insist=True)


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (PhaseCost(9, None), "nothing stays frozen"),
        (PhaseCost(9, "a", 0.1, 10_001), "1.0 MB find no room"),
        (PhaseCost(1, "a", 0.1, 10), "computing in each epoch is faster"),
    ],
)
def test_the_line_says_why_nothing_is_stored(phase, reason):
    assert str(plan([phase])) == f"cache: nothing is stored; phase 1: {reason}"


def test_the_line_says_what_is_stored_where_and_what_it_saves():
    phases = [PhaseCost(3, "late", 0.4, 1000), PhaseCost(2, "early", 0.1, 5000), PhaseCost(2, None)]
    assert str(plan(phases)) == (
        "cache: 2 of 3 phases read what their frozen part computes (0.6 MB to store, memory, one pass), about 41.3 s "
        "instead of 140.0 s; phase 3: nothing stays frozen"
    )


def test_phases_that_are_over_count_for_nothing():
    found = plan([PhaseCost(0, "late", 0.4, 1000), PhaseCost(4, "early", 0.1, 1000)])
    assert found.seconds_uncached == pytest.approx(40)
    assert found.seconds_saved == pytest.approx(40 - 10 - 0.4)
    assert found.places == (None, "memory")
    assert found.reasons == ("", "")
    assert plan([PhaseCost(0, "a"), PhaseCost(4, "a", 0.1, 1000)]).places == (None, "memory")


@pytest.mark.parametrize("seed", range(20))
def test_with_room_for_all_no_other_choice_saves_more(seed):
    generator = random.Random(seed)
    seconds = sorted((generator.uniform(0.001, 0.1) for _ in range(5)), reverse=True)
    phases = [PhaseCost(generator.randint(1, 4), cut, seconds[cut], generator.randint(1, 90_000)) for cut in range(5)]
    place = Place("disk", 1e12, write_rate=2e6, read_rate=4e6)
    views = generator.randint(1, 2)
    found = plan(phases, place, views=views)

    def saved(chosen):
        total = -max((phase.prefix_seconds for phase in chosen), default=0) * (80 * views + 20)
        for phase in chosen:
            total += phase.epochs * 100 * (phase.prefix_seconds - phase.bytes_per_example / 4e6)
            total -= (80 * views + 20) * phase.bytes_per_example / 2e6
        return total

    subsets = itertools.chain.from_iterable(itertools.combinations(phases, size) for size in range(6))
    assert found.seconds_saved == pytest.approx(max(map(saved, subsets)))
