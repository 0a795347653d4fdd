"""Whether storing activations pays: one pass over the data, writing and reading, or computing in every epoch."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

from tl_keras.errors import InputError
from tl_keras.transfer.byte_counts import format_bytes


@dataclass(frozen=True)
class PhaseCost:
    """What a phase takes to train on images, or on activations in their place."""

    epochs: int
    """Epochs still to be trained; 0 where the phase is over."""
    cut: Hashable | None
    """Where its frozen part ends; phases of equal cuts share what is stored. None: nothing of it stays frozen."""
    prefix_seconds: float = 0.0
    """Seconds that the part up to the cut takes for one example."""
    bytes_per_example: int = 0
    """Size of one example at the cut."""
    stored_in: str | None = None
    """Name of the place that has these activations already, from an earlier run."""
    late: bool = False
    """Whether an earlier phase changes what lies before the cut, so that it needs a pass of its own after that."""


@dataclass(frozen=True)
class Place:
    """Where activations can be kept."""

    name: str
    """As users are told, such as "memory" or "disk"."""
    room: float
    """Bytes that it may take."""
    write_rate: float
    """Bytes written in a second; infinite where that takes no time of its own."""
    read_rate: float
    """Bytes read in a second."""


@dataclass(frozen=True)
class CachePlan:
    """What to store; prints as one line."""

    places: tuple[str | None, ...]
    """For each phase the name of the place of its activations, or None where it trains on the images."""
    reasons: tuple[str, ...]
    """For each phase why nothing is stored for it; empty where it is, or where no epoch is left."""
    one_pass: bool
    """Whether one pass computes all that is stored; else each cut has its own pass when its phase comes."""
    num_bytes: int
    """Bytes kept at once at most, those of earlier runs left out."""
    seconds_uncached: float
    """Seconds that frozen parts take in the whole run where nothing is stored."""
    seconds_saved: float
    """How many of these are saved, what computing, writing and reading takes taken off."""

    def __str__(self):
        """Returns the plan and its reasons in one line."""
        left_out = [f"phase {number}: {reason}" for number, reason in enumerate(self.reasons, start=1) if reason]
        if not any(self.places):
            return "; ".join(["cache: nothing is stored", *left_out])
        where = " and ".join(dict.fromkeys(place for place in self.places if place))
        passes = "one pass" if self.one_pass else "a pass for each cut"
        line = (
            f"cache: {len(self.places) - self.places.count(None)} of {len(self.places)} phases read what their frozen "
            f"part computes ({format_bytes(self.num_bytes)} to store, {where}, {passes}), about "
            f"{self.seconds_uncached - self.seconds_saved:,.1f} s instead of {self.seconds_uncached:,.1f} s"
        )
        return "; ".join([line, *left_out])


def plan_cache(phases, places, num_train, num_validation, *, views=1, insist=False):
    """Chooses what to store, where, and in how many passes, so that the run takes least.

    With n examples an epoch and N = views * num_train + num_validation examples to store, a phase of E epochs whose
    frozen part takes c seconds an example takes E * n * c. From activations of b bytes an example it takes
    E * n * b / read_rate, after N * c for the pass that computes them and N * b / write_rate once. One pass takes
    N * max(c) for all cuts together, but needs room for all; a pass for each cut takes N * sum(c) and needs room for
    one cut at a time. Where one pass finds no room for all, the cuts that save least for each byte are left out. A cut
    that is `late` has its own pass in any case.

    Args:
        phases: list of `PhaseCost`, in their order.
        places: list of `Place`.
        num_train: number of training examples.
        num_validation: number of validation examples, read once in every epoch.
        views: versions of each training example to store; an epoch reads one of them.
        insist: store for every phase that has a cut, even where that takes longer.

    Returns:
        `CachePlan`.

    Raises:
        InputError: `insist`, and there is no room.
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
    """Numbers of examples, and what follows from them for a cut: a `PhaseCost` of all phases that share it."""

    examples_of_epoch: int
    examples_to_store: int

    def computing(self, cut):
        return cut.epochs * self.examples_of_epoch * cut.prefix_seconds

    def computing_once(self, cut):
        return 0.0 if cut.stored_in else self.examples_to_store * cut.prefix_seconds

    def num_bytes(self, cut):
        return 0 if cut.stored_in else self.examples_to_store * cut.bytes_per_example

    def gain(self, cut, place):
        """Seconds saved by reading, those of the pass that computes what is read not yet taken off."""
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
    """Yields the best choice for each cut that the one pass could go up to, so that the deepest need not pay alone."""
    for limit in sorted({0.0, *(sizes.computing_once(cut) for cut in cuts)}, reverse=True):
        chosen, saved, passed = {}, 0.0, 0.0
        left = {place.name: place.room for place in places}
        within = [cut for cut in cuts if cut.late or sizes.computing_once(cut) <= limit]
        for cut in sorted(within, key=lambda cut: -_gain_per_byte(cut, places, sizes)):
            gain, place = _best_place(cut, places, sizes, left)
            gain -= sizes.computing_once(cut) if cut.late else 0.0
            if place and (insist or gain > 0):
                chosen[cut.cut] = place.name
                left[place.name] -= sizes.num_bytes(cut)
                saved += gain
                passed = max(passed, 0.0 if cut.late else sizes.computing_once(cut))
        yield _Choice(True, chosen, saved - passed, passed)


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
    """Returns the gain and the `Place` with room that gains most, or (0.0, None) where none has room."""
    able = [place for place in places if sizes.num_bytes(cut) <= room[place.name]]
    if cut.stored_in:
        able = [place for place in able if place.name == cut.stored_in]
    gains = [(sizes.gain(cut, place), place) for place in able]
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
    # By how much the pass that computes the others would take longer, if it went on to this cut.
    longer = max(0.0, sizes.computing_once(cut) - (0.0 if cut.late else choice.pass_seconds))
    if max(sizes.gain(cut, place) for place in places) <= longer:
        return "computing in each epoch is faster"
    return f"{format_bytes(size)} find no room beside the others"
