import itertools
import math
import random

import pytest

from tl_keras.errors import InputError
from tl_keras.transfer.activations.cost_model import PhaseCost, Place, plan_cache

MEMORY = Place("memory", room=1e6, write_rate=math.inf, read_rate=1e6)


def plan(phases, *places, train=80, validation=20, **options):
    return plan_cache(phases, places or (MEMORY,), train, validation, **options)


def test_one_pass_computed_by_hand():
    phases = [PhaseCost(3, "late", 0.4, 1000), PhaseCost(2, "early", 0.1, 5000)]
    result = plan(phases)
    # 100 examples: 3 * 100 * 0.4 + 2 * 100 * 0.1 s; the pass 100 * 0.4 s; reading 3 * 0.1 MB and 2 * 0.5 MB at 1 MB/s.
    assert result.seconds_uncached == pytest.approx(140)
    assert result.seconds_saved == pytest.approx(140 - 40 - 0.3 - 1.0)
    assert result.places == ("memory", "memory")
    assert result.one_pass
    assert result.num_bytes == 600_000


def test_writing_is_counted_once_per_cut():
    disk = Place("disk", 1e9, write_rate=1e5, read_rate=1e6)
    phases = [PhaseCost(3, "a", 0.4, 1000), PhaseCost(1, "a", 0.4, 1000)]
    assert plan(phases, disk).seconds_saved == pytest.approx(4 * 40 - 40 - 4 * 0.1 - 1.0)


def test_phases_that_share_a_cut_are_worth_a_pass_together():
    assert plan([PhaseCost(1, "a", 0.4, 1000)]).places == (None,)
    assert plan([PhaseCost(1, "a", 0.4, 1000)] * 2).places == ("memory", "memory")


def test_two_phases_of_one_epoch_share_the_pass():
    result = plan([PhaseCost(1, "late", 0.4, 1000), PhaseCost(1, "early", 0.3, 1000)])
    assert result.places == ("memory", "memory")
    assert result.seconds_saved == pytest.approx(30 - 2 * 0.1)


def test_a_deep_cut_not_worth_its_part_of_the_pass_is_dropped():
    # Reading "late" takes as long as computing it: the pass then stops at "early".
    phases = [PhaseCost(2, "late", 0.4, 400_000), PhaseCost(3, "early", 0.1, 1000)]
    result = plan(phases, Place("memory", 1e9, math.inf, 1e6))
    assert result.places == (None, "memory")
    assert result.reasons == ("computing in each epoch is faster", "")
    assert result.seconds_saved == pytest.approx(30 - 10 - 0.3)


def test_without_room_for_all_cuts_each_has_its_own_pass():
    phases = [PhaseCost(4, "late", 0.4, 6000), PhaseCost(4, "early", 0.2, 8000)]
    result = plan(phases)
    assert (result.one_pass, result.places) == (False, ("memory", "memory"))
    assert result.seconds_saved == pytest.approx(3 * 40 - 4 * 0.6 + 3 * 20 - 4 * 0.8)
    assert result.num_bytes == 800_000


def test_the_cut_that_saves_least_per_byte_is_dropped_first():
    # A pass of its own would take longer than the one epoch of "middle".
    phases = [PhaseCost(9, "late", 0.4, 3000), PhaseCost(1, "middle", 0.3, 6000), PhaseCost(2, "early", 0.2, 4000)]
    result = plan(phases)
    assert (result.one_pass, result.places) == (True, ("memory", None, "memory"))
    assert result.reasons == ("", "0.6 MB find no room beside the others", "")
    assert result.seconds_saved == pytest.approx(360 - 2.7 + 40 - 0.8 - 40)


def test_a_cut_that_is_computed_faster_than_read_is_not_stored():
    result = plan([PhaseCost(3, "late", 0.4, 1000), PhaseCost(1, "early", 1e-5, 5000)])
    assert result.places == ("memory", None)
    assert result.reasons == ("", "computing in each epoch is faster")


def test_cuts_without_room_in_memory_are_stored_on_disk():
    disk = Place("disk", 1e9, write_rate=5e5, read_rate=5e5)
    phases = [PhaseCost(4, "late", 0.4, 6000), PhaseCost(4, "early", 0.2, 8000)]
    result = plan(phases, MEMORY, disk)
    assert (result.one_pass, result.places) == (True, ("memory", "disk"))
    assert result.seconds_saved == pytest.approx(240 - 40 - 4 * 0.6 - 1.6 - 4 * 1.6)


def test_a_slow_disk_is_not_used():
    result = plan([PhaseCost(4, "a", 0.01, 100_000)], Place("disk", 1e9, write_rate=1e6, read_rate=5e6))
    assert result.places == (None,)
    assert result.seconds_saved == 0


def test_activations_of_an_earlier_run_need_no_room_and_no_pass():
    result = plan([PhaseCost(1, "a", 0.4, 1000, stored_in="disk")], MEMORY, Place("disk", 0, 1e6, 1e6))
    assert result.places == ("disk",)
    assert result.num_bytes == 0
    assert result.seconds_saved == pytest.approx(40 - 0.1)


def test_a_late_cut_has_its_own_pass():
    result = plan([PhaseCost(3, "late", 0.4, 1000), PhaseCost(3, "changing", 0.3, 1000, late=True)])
    assert (result.one_pass, result.places) == (True, ("memory", "memory"))
    assert result.seconds_saved == pytest.approx((3 - 1) * 40 - 0.3 + (3 - 1) * 30 - 0.3)
    result = plan([PhaseCost(3, "late", 0.4, 1000), PhaseCost(1, "changing", 0.3, 1000, late=True)])
    assert result.places == ("memory", None)
    assert result.reasons == ("", "computing in each epoch is faster")


@pytest.mark.parametrize(("views", "place"), [(1, "memory"), (5, "memory"), (6, None), (9, None)])
def test_each_view_costs_a_pass_over_the_training_images(views, place):
    result = plan([PhaseCost(5, "a", 0.1, 10)], views=views)
    assert result.places == (place,)
    if place:
        examples = 80 * views + 20
        assert result.seconds_saved == pytest.approx(50 - examples * 0.1 - 5 * 100 * 10 / 1e6)


def test_insist_stores_even_if_it_takes_longer():
    result = plan([PhaseCost(1, "a", 0.1, 1000), PhaseCost(1, None)], insist=True)
    assert result.places == ("memory", None)
    assert result.seconds_saved < 0


def test_insist_without_room_is_refused():
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
def test_the_line_gives_the_reason_why_nothing_is_stored(phase, reason):
    assert str(plan([phase])) == f"cache: nothing is stored; phase 1: {reason}"


def test_the_line_describes_the_plan():
    phases = [PhaseCost(3, "late", 0.4, 1000), PhaseCost(2, "early", 0.1, 5000), PhaseCost(2, None)]
    assert str(plan(phases)) == (
        "cache: 2 of 3 phases read cached activations (0.6 MB to store, memory, one pass), about 41.3 s "
        "instead of 140.0 s; phase 3: nothing stays frozen"
    )


def test_ended_phases_do_not_count():
    result = plan([PhaseCost(0, "late", 0.4, 1000), PhaseCost(4, "early", 0.1, 1000)])
    assert result.seconds_uncached == pytest.approx(40)
    assert result.seconds_saved == pytest.approx(40 - 10 - 0.4)
    assert result.places == (None, "memory")
    assert result.reasons == ("", "")
    assert plan([PhaseCost(0, "a"), PhaseCost(4, "a", 0.1, 1000)]).places == (None, "memory")


@pytest.mark.parametrize("seed", range(20))
def test_with_room_for_all_the_plan_is_optimal(seed):
    generator = random.Random(seed)
    seconds = sorted((generator.uniform(0.001, 0.1) for _ in range(5)), reverse=True)
    phases = [PhaseCost(generator.randint(1, 4), cut, seconds[cut], generator.randint(1, 90_000)) for cut in range(5)]
    place = Place("disk", 1e12, write_rate=2e6, read_rate=4e6)
    views = generator.randint(1, 2)
    result = plan(phases, place, views=views)

    def saved(chosen):
        total = -max((phase.prefix_seconds for phase in chosen), default=0) * (80 * views + 20)
        for phase in chosen:
            total += phase.epochs * 100 * (phase.prefix_seconds - phase.bytes_per_example / 4e6)
            total -= (80 * views + 20) * phase.bytes_per_example / 2e6
        return total

    subsets = itertools.chain.from_iterable(itertools.combinations(phases, size) for size in range(6))
    assert result.seconds_saved == pytest.approx(max(map(saved, subsets)))
