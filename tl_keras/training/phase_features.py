"""What each phase of a run trains on: the examples, or what the frozen part of the model made of them."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tl_keras import transfer
from tl_keras.phases import total_epochs
from tl_keras.system.atomic_files import atomic_path
from tl_keras.tasks.registry import TASKS

MEMORY, DISK = "memory", "disk"
MEMORY_SHARE = 0.5
"""Part of the free memory that activations may take, at most."""
MEMORY_RATE = 6e9
"""Bytes gathered from memory in a second, row by row; one core of 2020 does more."""
WRITING_SLOWDOWN = 4
"""How much slower than the disk alone activations are written, since their checksum is made by the way."""
MEASURED_EXAMPLES = 4


@dataclass(frozen=True)
class Decision:
    """Where the activations of each phase go; a resumed run repeats it, whatever it would measure now."""

    places: tuple[str | None, ...]
    """For each phase "memory", "disk", or None where it trains on the examples."""
    one_pass: bool
    """Whether all are computed at once; else each when its phase comes."""


class PhaseFeatures:
    """Stores what phases can train on in place of the examples, and hands it to them one after the other.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        phases_done: how many of the first phases are over.
        record: path of a file that keeps the decision for a resumed run; None keeps none.

    Raises:
        InputError: the configuration insists on a cache that does not fit, or the disk cannot be used.
    """

    def __init__(self, config, model, splits, phases, phases_done=0, record=None):
        self._config = config
        self._done = phases_done
        self._phases = phases
        self._sources = TASKS[config.task].activation_sources(config, splits)
        obstacle = _obstacle(config, phases)
        self._cuts = [None] * len(phases) if obstacle else transfer.find_cuts_of_phases(model, phases)
        self._since = transfer.settled_since(model, phases, self._cuts)
        self._model = model
        self._part = self._new_part()
        self._store = None
        self._kept = {}
        self.plan = None
        self.decision = _read(record) or self._decide()
        if record:
            _write(record, self.decision)

    def describe(self):
        """Says in a few lines what is stored, how much, and what that saves, or why nothing is."""
        if self.plan is None:
            return [f"cache: nothing is stored: {_obstacle(self._config, self._phases) or 'nothing stays frozen'}"]
        lines = [str(self.plan)]
        sizes = self._part.bytes_per_example(self._sources[0])
        count = sum(source.num_examples for source in self._sources)
        for number, (cut, place) in enumerate(zip(self._cuts, self.decision.places, strict=True), start=1):
            if place:
                name, size = cut._keras_history.operation.name, transfer.format_bytes(count * sizes[id(cut)])
                lines.append(f"phase {number}: reads the output of {name}, {size} in {place}")
        if any(self.decision.places) and self._part.draws_random_numbers():
            lines.append("dropout inside frozen blocks is off where their output is stored")
        if views := self._config.cache.views:
            lines.append(f"of each training image {views} augmented views are stored, one for each epoch in turn")
        return lines

    def of(self, index):
        """Gives what a phase trains on, computed now where that was not done before; earlier phases' are let go.

        Args:
            index: the phase in the list.

        Returns:
            Tuple of the cut, a Keras tensor, and its `Features`; None where the phase trains on the examples.

        Raises:
            InputError: the disk takes no more.
        """
        reading = [number for number in range(index, len(self._phases)) if self.decision.places[number]]
        self._kept = {key: self._kept[key] for key in map(self._key, reading) if key in self._kept}
        if index not in reading:
            return None
        if self._key(index) not in self._kept:
            # Later phases whose part is by now as they will find it need no pass of their own.
            settled = [number for number in reading if self._since[number] <= index]
            missing = [number for number in settled if self._key(number) not in self._kept]
            self._compute(missing if self.decision.one_pass else [index])
        return self._cuts[index], self._kept[self._key(index)]

    def _key(self, index):
        """Tells activations apart: of equal cuts, those before a phase that changed them and those after it."""
        return id(self._cuts[index]), self._since[index]

    def _compute(self, indices):
        started = time.perf_counter()
        by_cut = {id(self._cuts[index]): index for index in indices}
        stores = {cut: self._disk() if self.decision.places[index] == DISK else None for cut, index in by_cut.items()}
        part = self._new_part() if any(self._since[index] for index in indices) else self._part
        train, validation = (part.compute(source, stores) for source in self._sources)
        views = self._config.cache.views or 1
        for cut, index in by_cut.items():
            self._kept[self._key(index)] = transfer.Features(train[cut], validation[cut], views)
        seconds, more = time.perf_counter() - started, f", {views} views of each training image" if views > 1 else ""
        cuts = "1 cut" if len(stores) == 1 else f"{len(stores)} cuts"
        print(f"cache: {cuts} stored or found in {seconds:.1f} s{more}", flush=True)

    def _new_part(self):
        """The frozen part with the weights of now: where it computes in bfloat16, they are folded once for all."""
        return transfer.FrozenPart(self._model, self._distinct(self._cuts), self._config.cache.dtype)

    def _decide(self):
        """Weighs the time of a pass, of writing and of reading against computing in every epoch."""
        if not self._distinct(self._cuts):
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
        """Finds the cuts whose activations an earlier run has left on the disk."""
        if not self._uses_disk():
            return set()
        keys = [self._part.keys(source) for source in self._sources]
        return {cut for cut in keys[0] if all(self._disk().holds(found[cut]) for found in keys)}

    def _places(self):
        cache = self._config.cache
        most, places = cache.max_gigabytes * 1e9, []
        if not self._uses_disk() or (cache.storage == "auto" and not cache.folder):
            room = min(most, MEMORY_SHARE * psutil.virtual_memory().available)
            places.append(transfer.Place(MEMORY, room, float("inf"), MEMORY_RATE))
        needed = sum(self._part.bytes_per_example(self._sources[0]).values()) * sum(
            source.num_examples for source in self._sources
        )
        if self._uses_disk() or (cache.storage == "auto" and needed > places[0].room):
            write_rate, read_rate = transfer.measure_rates(self._disk().folder)
            places.append(transfer.Place(DISK, self._disk().room(), write_rate / WRITING_SLOWDOWN, read_rate))
        return places

    def _uses_disk(self):
        return self._config.cache.storage == DISK or self._config.cache.folder is not None

    def _disk(self):
        if self._store is None:
            cache = self._config.cache
            folder = cache.folder or transfer.default_folder()
            self._store = transfer.ActivationStore(folder, cache.max_gigabytes * 1e9)
        return self._store

    @staticmethod
    def _distinct(cuts):
        return list({id(cut): cut for cut in cuts if cut is not None}.values())


def _obstacle(config, phases):
    """Says why nothing can be stored, or would ever pay, whatever a pass takes; an empty text where it might."""
    if config.cache.mode == "off":
        return "cache.mode is off"
    if config.data.augmentation != "none" and config.cache.views is None:
        return "images are augmented anew in every epoch (--cache.views K stores K versions of each)"
    if config.cache.mode == "auto" and total_epochs(phases) <= (config.cache.views or 1):
        return "that takes as many passes as there are epochs"
    return ""


def _read(record):
    if record is None or not Path(record).exists():
        return None
    found = json.loads(Path(record).read_text(encoding="utf-8"))
    return Decision(tuple(found["places"]), found["one_pass"])


def _write(record, decision):
    record.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(record) as temporary:
        temporary.write_text(json.dumps({"places": decision.places, "one_pass": decision.one_pass}), encoding="utf-8")
