"""Chooses for each phase what it trains on, the examples or cached activations, and computes the activations."""

import functools
import json
import time
from dataclasses import dataclass

import psutil

from tl_keras import transfer
from tl_keras.errors import InputError, counted
from tl_keras.phases import total_epochs
from tl_keras.system.atomic_files import write_text
from tl_keras.system.json_files import read_json
from tl_keras.tasks.registry import TASKS

MEMORY, DISK = "memory", "disk"
MEMORY_SHARE = 0.5
"""Maximum share of the free memory that activations may take."""
MEMORY_RATE = 6e9
"""Bytes a second that are gathered from memory row by row, a low estimate for one core."""
WRITING_SLOWDOWN = 4
"""Factor by which writing activations is slower than the disk, since they are checksummed meanwhile."""
MEASURED_EXAMPLES = 4
ADVICE = "remove it, and what to cache is decided again"


@dataclass(frozen=True)
class Decision:
    """Says where the activations of each phase are stored; a resumed run repeats it, whatever it would measure."""

    places: tuple[str | None, ...]
    """For each phase "memory", "disk", or None where it trains on the examples."""
    one_pass: bool
    """All activations are computed at once; else those of each phase when it starts."""


class PhaseFeatures:
    """Caches the activations that phases train on, and hands them to one phase after the other.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        phases_done: number of phases that are finished already.
        record: path of a file that keeps the decision for a resumed run; None keeps none.

    Attributes:
        plan: the plan of the cache, whose text explains the decision; None if there was nothing to decide.
        decision: `Decision`.

    Raises:
        InputError: the configuration requires a cache that does not fit, or the disk cannot be used.
    """

    def __init__(self, config, model, splits, phases, phases_done=0, record=None):
        self._config = config
        self._done = phases_done
        self._phases = phases
        num_replicas = model.distribute_strategy.num_replicas_in_sync
        self._sources = TASKS[config.task].activation_sources(config, splits, num_replicas)
        self._obstacle = _find_obstacle(config, phases) if self._sources else "this task caches none"
        self._cuts = [None] * len(phases) if self._obstacle else transfer.find_cuts_of_phases(model, phases)
        self._since = transfer.settled_since(model, phases, self._cuts)
        self._model = model
        self._part = self._new_part()
        self._cached = {}
        self.plan = None
        self.decision = _read(record, len(phases)) or self._decide()
        if record:
            _write(record, self.decision)

    def describe(self):
        """Explains in a few lines what is cached, how much, and what that saves, or why nothing is."""
        if self.plan is None:
            return [f"cache: nothing is stored: {self._obstacle or 'nothing stays frozen'}"]
        lines = [str(self.plan)]
        sizes = self._part.bytes_per_example(self._sources[0])
        count = sum(source.num_examples for source in self._sources)
        for number, (cut, place) in enumerate(zip(self._cuts, self.decision.places, strict=True), start=1):
            if place:
                name, size = transfer.describe_cut(cut), transfer.format_bytes(count * sizes[id(cut)])
                lines.append(f"phase {number}: reads the output of {name}, {size} in {place}")
        if any(self.decision.places) and self._part.draws_random_numbers():
            lines.append("dropout inside frozen blocks is off where their output is stored")
        if views := self._config.cache.views:
            lines.append(
                f"{counted(views, 'augmented view')} of each training image {'is' if views == 1 else 'are'} stored, "
                "one for each epoch in turn"
            )
        return lines

    def of(self, index):
        """Returns the cached activations of a phase, computing them if necessary, and frees those of earlier phases.

        Args:
            index: position of the phase in the list.

        Returns:
            Tuple of the cut, a Keras tensor, and its `Features`; None where the phase trains on the examples.

        Raises:
            InputError: the disk is full.
        """
        cached_phases = [number for number in range(index, len(self._phases)) if self.decision.places[number]]
        self._cached = {key: self._cached[key] for key in map(self._key, cached_phases) if key in self._cached}
        if index not in cached_phases:
            return None
        if self._key(index) not in self._cached:
            # Later phases whose frozen part has its final weights by now need no pass of their own.
            settled = [number for number in cached_phases if self._since[number] <= index]
            missing = [number for number in settled if self._key(number) not in self._cached]
            self._compute(missing if self.decision.one_pass else [index])
        return self._cuts[index], self._cached[self._key(index)]

    def _key(self, index):
        """Identifies activations: those of one cut differ before and after a phase that changed its frozen part."""
        return id(self._cuts[index]), self._since[index]

    def _compute(self, indices):
        started = time.perf_counter()
        by_cut = {id(self._cuts[index]): index for index in indices}
        stores = {cut: self._disk if self.decision.places[index] == DISK else None for cut, index in by_cut.items()}
        part = self._new_part() if any(self._since[index] for index in indices) else self._part
        train, validation = (
            part.compute(source, stores) if source.num_examples else dict.fromkeys(stores) for source in self._sources
        )
        views = self._config.cache.views or 1
        for cut, index in by_cut.items():
            self._cached[self._key(index)] = transfer.Features(train[cut], validation[cut], views)
        seconds, more = (
            time.perf_counter() - started,
            f", {counted(views, 'view')} of each training image" if views > 1 else "",
        )
        cuts = counted(len(stores), "cut")
        print(f"cache: {cuts} stored or found in {seconds:.1f} s{more}", flush=True)

    def _new_part(self):
        """Builds the frozen part with its present weights, which computing in bfloat16 folds once for all."""
        cuts = {id(cut): cut for cut in self._cuts if cut is not None}
        return transfer.FrozenPart(self._model, list(cuts.values()), self._config.cache.dtype)

    def _decide(self):
        """Weighs the time of one pass, of writing and of reading against computing in every epoch."""
        if all(cut is None for cut in self._cuts):
            return Decision((None,) * len(self._phases), True)
        train, validation = self._sources
        views = self._config.cache.views or 1
        self.plan = transfer.plan_cache(
            self._costs(),
            self._places(),
            train.num_examples // views,
            validation.num_examples,
            views=views,
            insist=self._config.cache.mode == "on",
        )
        return Decision(self.plan.places, self.plan.one_pass)

    def _costs(self):
        source = self._sources[0]
        seconds = self._part.measure_seconds(source.sample(MEASURED_EXAMPLES))
        sizes = self._part.bytes_per_example(source)
        stored = self._stored()
        costs = []
        for index, (phase, cut) in enumerate(zip(self._phases, self._cuts, strict=True)):
            epochs = 0 if index < self._done else phase.epochs
            if cut is None:
                costs.append(transfer.PhaseCost(epochs, None))
            else:
                key, late = id(cut), self._since[index] > 0
                place = DISK if key in stored and not late else None
                costs.append(transfer.PhaseCost(epochs, self._key(index), seconds[key], sizes[key], place, late))
        return costs

    def _stored(self):
        """Finds the cuts whose activations an earlier run has left on disk."""
        if not self._uses_disk():
            return set()
        keys = [self._part.keys(source) for source in self._sources]
        return {cut for cut in keys[0] if all(self._disk.holds(one[cut]) for one in keys)}

    def _places(self):
        cache, places = self._config.cache, []
        if not self._uses_disk():
            room = min(cache.max_gigabytes * 1e9, MEMORY_SHARE * psutil.virtual_memory().available)
            places.append(transfer.Place(MEMORY, room, float("inf"), MEMORY_RATE))
        needed = sum(self._part.bytes_per_example(self._sources[0]).values()) * sum(
            source.num_examples for source in self._sources
        )
        if self._uses_disk() or (cache.storage == "auto" and needed > places[0].room):
            write_rate, read_rate = transfer.measure_rates(self._disk.folder)
            places.append(transfer.Place(DISK, self._disk.room(), write_rate / WRITING_SLOWDOWN, read_rate))
        return places

    def _uses_disk(self):
        return self._config.cache.storage == DISK or self._config.cache.folder is not None

    @functools.cached_property
    def _disk(self):
        cache = self._config.cache
        return transfer.ActivationStore(cache.folder or transfer.default_folder(), cache.max_gigabytes * 1e9)


def _find_obstacle(config, phases):
    """Returns why nothing can be cached, or would ever pay; an empty text if it might."""
    if config.cache.mode == "off":
        return "cache.mode is off"
    if config.data.augmentation != "none" and config.cache.views is None:
        return "images are augmented anew in every epoch (--cache.views K stores K versions of each)"
    if config.cache.mode == "auto" and total_epochs(phases) <= (config.cache.views or 1):
        return "that takes as many passes as there are epochs"
    return ""


def _read(record, num_phases):
    if record is None or not record.exists():
        return None
    decision = read_json(record, dict, ADVICE)
    places, one_pass = decision.get("places"), decision.get("one_pass")
    has_places = isinstance(places, list) and all(place in (MEMORY, DISK, None) for place in places)
    if not (has_places and len(places) == num_phases and isinstance(one_pass, bool)):
        raise InputError(f"{str(record)!r} is damaged: {ADVICE}.")
    return Decision(tuple(places), one_pass)


def _write(record, decision):
    write_text(record, json.dumps({"places": decision.places, "one_pass": decision.one_pass}))
