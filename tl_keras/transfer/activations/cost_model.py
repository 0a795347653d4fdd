"""Cost model of the activation cache: one pass, writing and reading, against computing in every epoch.

A plain rule, "store whatever fits", is not enough: on an accelerator, reading the large activations of early blocks can
take longer than computing them, and every augmented view needs a pass of its own.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace

from tl_keras.errors import InputError, counted
from tl_keras.transfer.byte_counts import format_bytes


@dataclass(frozen=True)
class PhaseCost:
    """Describes the cost of training a phase on images or on cached activations."""

    epochs: int
    """Number of epochs still to be trained; 0 if the phase has ended."""
    cut: Hashable | None
    """End of the frozen part; phases with equal cuts share cached activations. None: no part is frozen."""
    prefix_seconds: float = 0.0
    """Seconds to compute the part before the cut for one example."""
    bytes_per_example: int = 0
    """Size of the activations of one example at the cut."""
    stored_in: str | None = None
    """Name of the place where an earlier run has stored these activations; None: nowhere."""
    late: bool = False
    """True if an earlier phase changes the part before the cut, which then needs a separate pass."""


@dataclass(frozen=True)
class Place:
    """Describes a place to store activations."""

    name: str
    """Name shown to users, such as "memory" or "disk"."""
    room: float
    """Number of bytes that may be stored."""
    write_rate: float
    """Bytes written per second; infinite if writing takes no extra time."""
    read_rate: float
    """Bytes read per second."""


@dataclass(frozen=True)
class CachePlan:
    """Holds the decision which activations to store; prints as one line."""

    places: tuple[str | None, ...]
    """Name of the place of each phase's activations, or None if the phase trains on the images."""
    reasons: tuple[str, ...]
    """Reason why nothing is stored for each phase; empty if something is stored or no epoch is left."""
    one_pass: bool
    """True if one pass computes all stored activations; False if each cut has its own pass before its phase."""
    num_bytes: int
    """Maximum number of bytes stored at once, without those of earlier runs."""
    seconds_uncached: float
    """Seconds to compute the frozen parts in the whole run without a cache."""
    seconds_saved: float
    """Seconds saved by the cache, after subtracting its own computing, writing and reading."""

    def __str__(self):
        """Returns the plan and its reasons in one line."""
        reasons = [f"phase {number}: {reason}" for number, reason in enumerate(self.reasons, start=1) if reason]
        if not any(self.places):
            return "; ".join(["cache: nothing is stored", *reasons])
        places = " and ".join(dict.fromkeys(place for place in self.places if place))
        passes = "one pass" if self.one_pass else "a pass for each cut"
        line = (
            f"cache: {len(self.places) - self.places.count(None)} of {counted(len(self.places), 'phase')} read cached "
            f"activations ({format_bytes(self.num_bytes)} to store, {places}, {passes}), about "
            f"{self.seconds_uncached - self.seconds_saved:,.1f} s instead of {self.seconds_uncached:,.1f} s"
        )
        return "; ".join([line, *reasons])


def plan_cache(phases, places, num_train, num_validation, *, views=1, insist=False):
    """Chooses which activations to store, where, and in how many passes, to minimize the time of a run.

    With n examples per epoch and N = views * num_train + num_validation examples to store, a phase of E epochs whose
    frozen part takes c seconds per example takes E * n * c. With activations of b bytes per example it takes
    E * n * b / read_rate, plus once N * c to compute and N * b / write_rate to write them. One pass for all cuts takes
    N * max(c) but needs room for all of them; a pass for each cut takes N * sum(c) and needs room for one cut at a
    time. If one pass has no room for all cuts, those that save the least per byte are dropped. A cut that is `late`
    always has its own pass.

    Args:
        phases: list of `PhaseCost`, in their order.
        places: list of `Place`, at least one.
        num_train: number of training examples.
        num_validation: number of validation examples, read once per epoch.
        views: number of stored versions of each training example, at least 1, default 1; an epoch reads one of them.
        insist: True to store activations for every phase with a cut, even if that takes longer; default False.

    Returns:
        `CachePlan`.

    Raises:
        InputError: `insist` is True and there is not enough room.
    """
    sizes = _Sizes(num_train + num_validation, views * num_train + num_validation)
    cuts = _cuts([phase for phase in phases if phase.epochs])
    choices = [*_one_pass_choices(cuts, places, sizes, insist), _pass_per_cut_choice(cuts, places, sizes, insist)]
    if insist:
        choices = [choice for choice in choices if len(choice.places) == len(cuts)]
        if not choices:
            raise _no_room(cuts, places, sizes)
    best = max(choices, key=lambda choice: choice.seconds_saved)
    reasons = {cut.cut: _reason(cut, best, places, sizes) for cut in cuts if cut.cut not in best.places}
    reasons[None] = "nothing stays frozen"
    return CachePlan(
        places=tuple(best.places.get(phase.cut) if phase.epochs else None for phase in phases),
        reasons=tuple(reasons.get(phase.cut, "") if phase.epochs else "" for phase in phases),
        one_pass=best.one_pass,
        num_bytes=best.num_bytes(cuts, sizes),
        seconds_uncached=sum(sizes.computing(cut) for cut in cuts),
        seconds_saved=best.seconds_saved,
    )


@dataclass(frozen=True)
class _Sizes:
    """Computes seconds and bytes of a cut, a `PhaseCost` of all phases that share it."""

    examples_of_epoch: int
    examples_to_store: int

    def computing(self, cut):
        return cut.epochs * self.examples_of_epoch * cut.prefix_seconds

    def computing_once(self, cut):
        return 0.0 if cut.stored_in else self.examples_to_store * cut.prefix_seconds

    def num_bytes(self, cut):
        return 0 if cut.stored_in else self.examples_to_store * cut.bytes_per_example

    def gain(self, cut, place):
        """Computes the seconds saved by reading, before subtracting those of the pass."""
        reading = cut.epochs * self.examples_of_epoch * cut.bytes_per_example / place.read_rate
        return self.computing(cut) - reading - self.num_bytes(cut) / place.write_rate


@dataclass(frozen=True)
class _Choice:
    one_pass: bool
    places: dict
    seconds_saved: float
    pass_seconds: float = 0.0

    def num_bytes(self, cuts, sizes):
        stored = [sizes.num_bytes(cut) for cut in cuts if cut.cut in self.places]
        return sum(stored) if self.one_pass else max(stored, default=0)


def _cuts(phases):
    """Adds up the epochs of the phases that share a cut."""
    cuts = {}
    for phase in phases:
        if phase.cut in cuts:
            cuts[phase.cut] = replace(phase, epochs=cuts[phase.cut].epochs + phase.epochs)
        elif phase.cut is not None:
            cuts[phase.cut] = phase
    return list(cuts.values())


def _one_pass_choices(cuts, places, sizes, insist):
    """Yields the best choice for each depth of the pass, because the deepest cut may not be worth its part of it."""
    for max_seconds in sorted({0.0, *(sizes.computing_once(cut) for cut in cuts)}, reverse=True):
        chosen, saved, pass_seconds = {}, 0.0, 0.0
        room = {place.name: place.room for place in places}
        candidates = [cut for cut in cuts if cut.late or sizes.computing_once(cut) <= max_seconds]
        for cut in sorted(candidates, key=lambda cut: -_gain_per_byte(cut, places, sizes)):
            gain, place = _best_place(cut, places, sizes, room)
            gain -= sizes.computing_once(cut) if cut.late else 0.0
            if place and (insist or gain > 0):
                chosen[cut.cut] = place.name
                room[place.name] -= sizes.num_bytes(cut)
                saved += gain
                pass_seconds = max(pass_seconds, 0.0 if cut.late else sizes.computing_once(cut))
        yield _Choice(True, chosen, saved - pass_seconds, pass_seconds)


def _pass_per_cut_choice(cuts, places, sizes, insist):
    chosen, saved = {}, 0.0
    for cut in cuts:
        gain, place = _best_place(cut, places, sizes, {place.name: place.room for place in places})
        gain -= sizes.computing_once(cut)
        if place and (insist or gain > 0):
            chosen[cut.cut] = place.name
            saved += gain
    return _Choice(False, chosen, saved)


def _best_place(cut, places, sizes, room):
    """Returns the gain and the `Place` with the largest gain, or (0.0, None) if no place has room."""
    candidates = [place for place in places if sizes.num_bytes(cut) <= room[place.name]]
    if cut.stored_in:
        candidates = [place for place in candidates if place.name == cut.stored_in]
    gains = [(sizes.gain(cut, place), place) for place in candidates]
    return max(gains, key=lambda pair: pair[0], default=(0.0, None))


def _gain_per_byte(cut, places, sizes):
    return max(sizes.gain(cut, place) for place in places) / max(1, sizes.num_bytes(cut))


def _no_room(cuts, places, sizes):
    needed = max(sizes.num_bytes(cut) for cut in cuts)
    room = ", ".join(f"{format_bytes(place.room)} in {place.name}" for place in places)
    return InputError(
        f"The activations of a phase take up to {format_bytes(needed)}, but there is room for {room}: give a larger "
        "--cache.max_gigabytes, fewer --cache.views, or --cache.mode auto."
    )


def _reason(cut, choice, places, sizes):
    size = sizes.num_bytes(cut)
    if size > max(place.room for place in places):
        return f"{format_bytes(size)} find no room"
    # Additional seconds if the pass for the other cuts were extended to this cut.
    extra = max(0.0, sizes.computing_once(cut) - (0.0 if cut.late else choice.pass_seconds))
    if max(sizes.gain(cut, place) for place in places) <= extra:
        return "computing in each epoch is faster"
    return f"{format_bytes(size)} find no room beside the others"
