"""Reads the pooled features of examples, and names the sets of them that a head may read."""

import functools
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tl_keras import models, probing, transfer
from tl_keras.config.derived import derive
from tl_keras.data import ImageSet
from tl_keras.errors import part_of
from tl_keras.system import devices
from tl_keras.tasks.registry import TASKS

CHUNK = 2000
"""Examples whose features are computed before they are stored."""
LAST_BLOCKS = 3


@dataclass(frozen=True)
class HeadInput:
    """Describes what a head reads.

    Attributes:
        name: key in records and messages.
        head_blocks: value of `model.head_blocks`.
        pooling: value of `model.pooling`.
    """

    name: str
    head_blocks: str | tuple[str, ...]
    pooling: str

    def configure(self, config):
        """Returns the configuration of a model with this head."""
        blocks = self.head_blocks if isinstance(self.head_blocks, str) else list(self.head_blocks)
        return derive(config, model=derive(config.model, head_blocks=blocks, pooling=self.pooling))


class FeatureReader:
    """Reads the pooled features of all blocks of a pretrained network.

    The features are kept between runs in the user's cache, unless `cache.mode` is off, and found again by the content
    of each example.

    Args:
        config: `RunConfig` whose image size is decided.
        splits: what the task's `load_data` returned.
        model: classifier of `config` whose features are read; None builds the pretrained network with a head on all
            blocks.
        keep: whether features are kept between runs, which pays for weights that other runs start from, too.

    Attributes:
        inputs: list of `HeadInput` to choose from, the simplest first.
        class_names: names of the classes.
        network: classifier whose features are read.

    Raises:
        InputError: later blocks of the network read several tensors of one block.
    """

    def __init__(self, config, splits, model=None, keep=True):
        self._task, self._splits = TASKS[config.task], splits
        self.class_names = splits.class_names
        poolings = (config.model.pooling,) if config.model.pooling else self._task.head_poolings
        self._widest = HeadInput("widest", config.model.head_blocks or "all", poolings[-1])
        self._config = self._widest.configure(config)
        if model is None:
            # The network of the run is built with the same seed, which matters where its weights are random.
            devices.set_up(config.seed, config.precision, config.deterministic)
            model = self._task.build_model(self._config, splits)
        self.network = model
        self._computed, self._seconds = 0, 0.0
        self._cut = transfer.features_before_head(self.network)
        self._part = transfer.FrozenPart(self.network, [self._cut])
        self._columns = models.head_columns(self.network)
        self.inputs = _list_inputs(config.model.head_blocks, list(self._columns), poolings)
        cache = config.cache
        self._store = probing.FeatureStore(
            Path(cache.folder) / "features" if cache.folder else None,
            int(cache.max_gigabytes * 1e9) if keep and cache.mode != "off" else None,
        )

    def read(self, part):
        """Reads the features of a part of the splits; those that are not stored are computed.

        Args:
            part: a part of the splits.

        Returns:
            float32 (n, width), a row for each example; that of a text in several windows is their mean.
        """
        windows = getattr(part, "windows", None)
        rows = part if windows is None else windows
        digests = probing.example_digests(rows)
        width = self._cut.shape[-1]
        features = self._store.rows(self._network_key, digests, width, lambda missing: self._compute(rows, missing))
        owners = getattr(rows, "owners", None)
        return features if owners is None else models.mean_of_windows(features, owners)

    @functools.cached_property
    def _network_key(self):
        # The digest of all weights, which nobody trains while a reader is in use.
        return self._part.network_key(self._cut)

    @property
    def seconds_per_example(self):
        """Seconds that the features of an example took; None if all were stored."""
        return self._seconds / self._computed if self._computed else None

    @property
    def cpu_seconds_per_example(self):
        """CPU seconds that the features of an example took, see `transfer.FrozenPart`; None if all were stored."""
        return self._part.cpu_seconds_per_example

    def measure_seconds(self, inputs, clock=time.perf_counter):
        """Measures the seconds per example that computing features takes.

        Args:
            inputs: model inputs of a few examples.
            clock: as in `transfer.FrozenPart.measure_seconds`.

        Returns:
            float.
        """
        return self._part.measure_seconds(inputs, clock)[id(self._cut)]

    @property
    def blocks(self):
        """Names of the blocks that a head may read, input side first."""
        return list(self._columns)

    @property
    def last_block_columns(self):
        """Columns of the averages of the last block, int (k,)."""
        return self.feature_set(HeadInput("the last block", "last", "average")).columns

    def feature_set(self, head_input):
        """Returns the columns that a head reads, as a `probing.FeatureSet`.

        Args:
            head_input: one of `inputs`.
        """
        names = list(self._columns)
        wanted_blocks = head_input.head_blocks
        if isinstance(wanted_blocks, str):
            wanted_blocks = names[-1:] if wanted_blocks == "last" else names
        columns, groups = [], []
        for number, block in enumerate(names):
            span = np.arange(self._columns[block].start, self._columns[block].stop)
            # The widest input has the average and the maximum of a block one after the other.
            halves = np.split(span, 2) if self._widest.pooling == "concat" else [span]
            wanted = {"average": halves[:1], "max": halves[-1:]}.get(head_input.pooling, halves)
            if block in wanted_blocks:
                columns += wanted
                groups += [np.full(len(half), 2 * number + place) for place, half in enumerate(wanted)]
        return probing.FeatureSet(head_input.name, np.concatenate(columns), np.concatenate(groups))

    def _compute(self, rows, missing):
        stored = ", the others were stored" if len(missing) < len(rows) else ""
        size = self.network.input_shape[1] if isinstance(rows, ImageSet) else None
        features = "features" if size is None else f"features at {size} px"
        print(f"{features}: {part_of(len(missing), len(rows), 'example')} computed{stored}", flush=True)
        started = time.monotonic()
        for start in range(0, len(missing), CHUNK):
            chosen = rows.take(missing[start : start + CHUNK])
            source, _ = self._task.activation_sources(
                self._config, replace(self._splits, train=chosen, validation=chosen)
            )
            stored = self._part.compute(source, {id(self._cut): None})[id(self._cut)]
            yield stored.images if isinstance(stored, ImageSet) else stored.values[stored.starts]
        self._computed += len(missing)
        self._seconds += time.monotonic() - started


def _list_inputs(head_blocks, names, poolings):
    """Lists what a head may read: fewer blocks before more, averages alone before averages and maxima."""
    if head_blocks is not None:
        return [HeadInput("the given blocks", head_blocks, pooling) for pooling in poolings]
    inputs = [HeadInput("the last block", "last", poolings[0])]
    if len(names) > LAST_BLOCKS:
        inputs.append(HeadInput(f"the last {LAST_BLOCKS} blocks", tuple(names[-LAST_BLOCKS:]), poolings[0]))
    if len(names) > 1:
        inputs.append(HeadInput("all blocks", "all", poolings[0]))
    if len(poolings) > 1:
        inputs.append(HeadInput("all blocks (averages and maxima)", "all", poolings[-1]))
    return inputs
