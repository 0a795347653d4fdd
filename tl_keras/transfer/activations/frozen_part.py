"""Activation cache: computes the activations of frozen blocks once, so that phases train on the cached values.

Blocks are usually unfrozen from last to first, so the part before the cut of a later phase is still unchanged when that
phase starts. One forward pass that stores the activations at the cut of every phase therefore serves all phases.
"""

import contextlib
import time
from dataclasses import dataclass
from importlib.metadata import version

import keras
import numpy as np
import PIL
import tensorflow as tf

import tl_keras
from tl_keras.data import BoxSet, ImageSet, TokenFeatures
from tl_keras.transfer.activations.batch_norm_folding import fold_batch_norm, precompute_batch_norm
from tl_keras.transfer.activations.cuts import has_tokens, prefix_model
from tl_keras.transfer.activations.file import num_payload_bytes
from tl_keras.transfer.activations.key import activation_key, digest_arrays
from tl_keras.transfer.activations.store import drop_pages
from tl_keras.transfer.multiply_adds import count_multiply_adds


@dataclass(frozen=True, eq=False)
class Features:
    """Holds the cached activations at one cut, used in place of images or tokens.

    Attributes:
        train: `ImageSet` or `BoxSet` of views * n activations, view by view, or `TokenFeatures`.
        validation: the same for the validation examples; None without any.
        views: number of augmented views stored of each image; an epoch reads one of them.
    """

    train: ImageSet | BoxSet | TokenFeatures
    validation: ImageSet | BoxSet | TokenFeatures | None
    views: int = 1

    def release(self):
        """Releases the memory of rows that were read from disk."""
        for part in (self.train, self.validation) if self.validation else (self.train,):
            drop_pages(part.values if isinstance(part, TokenFeatures) else part.images)


class FrozenPart:
    """Computes the activations of a model at one or more cuts.

    The weights must not change after the first computation: some are compiled in as constants.

    Args:
        model: functional `keras.Model` with one input, or with token inputs.
        cuts: list of Keras tensors inside it, from `find_phase_cut`.
        dtype: name of the dtype in which activations are stored; None keeps the dtype of each cut.
    """

    def __init__(self, model, cuts, dtype=None):
        self._model = model
        self._cuts = {id(cut): cut for cut in cuts}
        self._per_token = {key: has_tokens(model, cut) for key, cut in self._cuts.items()}
        self._dtype = dtype
        self._compiled = {}
        self._timed_seconds, self._timed_examples = 0.0, 0

    def bytes_per_example(self, source):
        """Returns a dict from the id of each cut to the stored bytes per example of a source."""
        shares = {key: source.num_rows(per_token) / source.num_examples for key, per_token in self._per_token.items()}
        return {key: shares[key] * num_payload_bytes(*self._row(key)) for key in self._cuts}

    def draws_random_numbers(self):
        """Returns whether the part contains dropout, which is off while activations are computed."""
        whole = prefix_model(self._model, list(self._cuts.values()))
        parts = (part for layer in whole.layers for part in layer._flatten_layers())
        return any(part._seed_generators for part in parts)

    @property
    def cpu_seconds_per_example(self):
        """CPU seconds per example in the passes so far, without their first batches; None without others."""
        return self._timed_seconds / self._timed_examples if self._timed_examples else None

    def measure_seconds(self, inputs, clock=time.perf_counter):
        """Measures the computing time per example up to each cut.

        Only the time up to the deepest cut is measured; the others get a share by their number of multiply-adds.

        Args:
            inputs: model inputs of a few examples.
            clock: function without arguments that returns seconds, such as `time.process_time` for those of the CPU.

        Returns:
            Dict from the id of each cut to seconds per example.
        """
        compute = self._function(self._cuts)
        _wait_for(compute(inputs))  # The first call traces.
        started = clock()
        _wait_for(compute(inputs))
        seconds = (clock() - started) / len(keras.tree.flatten(inputs)[0])
        work = {key: count_multiply_adds(prefix_model(self._model, cut)) for key, cut in self._cuts.items()}
        return {key: seconds * own / max(1, *work.values()) for key, own in work.items()}

    def keys(self, source):
        """Computes the keys of a source's activations from examples, layers, weights, settings and versions.

        Args:
            source: `ImageSource`, `BoxSource` or `TokenSource`.

        Returns:
            Dict from the id of each cut to its key in an `ActivationStore`.
        """
        return {key: activation_key(source.key_parts() | self._key_parts(key)) for key in self._cuts}

    def network_key(self, cut):
        """Computes the key of everything but the examples that determines the activations at one of the cuts."""
        return activation_key(self._key_parts(id(cut)))

    def compute(self, source, stores):
        """Computes the activations of all examples in one pass; those already on disk are only opened.

        Args:
            source: `ImageSource`, `BoxSource` or `TokenSource` of the examples.
            stores: dict from the id of each requested cut to the `ActivationStore` that keeps its activations on disk,
                also for other runs, or to None, which keeps them in memory.

        Returns:
            Dict from the id of each requested cut to its activations: an `ImageSet`, `BoxSet` or `TokenFeatures`.
        """
        keys = self.keys(source) if any(stores.values()) else dict.fromkeys(stores)
        columns = {key: _Column(keys[key], self._spec(key, source), store) for key, store in stores.items()}
        if source.target_shape:
            columns["targets"] = self._targets(source, stores, keys)
        arrays = {name: column.open() for name, column in columns.items()}
        missing = {name: column for name, column in columns.items() if arrays[name] is None}
        if missing:
            arrays |= self._pass(source, missing)
        targets = arrays.get("targets")
        return {key: source.wrap(arrays[key], targets, self._per_token[key]) for key in stores}

    def _pass(self, source, missing):
        """Computes and stores the missing columns; returns their arrays."""
        cuts = {key: cut for key, cut in self._cuts.items() if key in missing}
        compute = self._function(cuts)
        with contextlib.ExitStack() as stack:
            writers = {name: stack.enter_context(column.create()) for name, column in missing.items()}
            for number, (inputs, targets, mask) in enumerate(source.batches()):
                started = time.process_time()
                rows = {key: np.asarray(row) for key, row in zip(cuts, compute(inputs), strict=True)} if cuts else {}
                if number and cuts:  # The first call may trace.
                    self._timed_seconds += time.process_time() - started
                    self._timed_examples += len(keras.tree.flatten(inputs)[0])
                for name, writer in writers.items():
                    values = np.asarray(rows.get(name, targets))
                    writer.append(values[mask] if self._per_token.get(name) else values)
        return {name: column.open() if column.store else writers[name].array for name, column in missing.items()}

    def _function(self, cuts):
        """Returns a compiled function from a batch of inputs to a list of tensors, one per cut."""
        if tuple(cuts) not in self._compiled:
            prefix = prefix_model(self._model, list(cuts.values()))
            rounded = self._dtype == "bfloat16" or any(layer.compute_dtype != "float32" for layer in prefix.layers)
            prefix = fold_batch_norm(prefix) if rounded else precompute_batch_norm(prefix)
            signature = keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), prefix.input)

            # Not `predict`, which would trace the network again for a smaller last batch.
            @tf.function(input_signature=[signature])
            def compute(inputs):
                return keras.tree.flatten(prefix(inputs, training=False))

            def convert(inputs):
                return compute(keras.tree.map_structure(lambda x, spec: tf.cast(x, spec.dtype), inputs, signature))

            self._compiled[tuple(cuts)] = convert
        return self._compiled[tuple(cuts)]

    def _row(self, key):
        """Returns the shape and dtype of one row of a cut."""
        cut = self._cuts[key]
        shape = cut.shape[2:] if self._per_token[key] else cut.shape[1:]
        return shape, self._dtype or keras.backend.standardize_dtype(cut.dtype)

    def _spec(self, key, source):
        shape, dtype = self._row(key)
        return (source.num_rows(self._per_token[key]), *shape), dtype

    def _key_parts(self, key):
        prefix = prefix_model(self._model, self._cuts[key])
        # The whole graph, not just its layers: the same layers could be connected differently.
        graph = {name: value for name, value in prefix.get_config().items() if name != "name"}
        packages = (keras, tf, np, PIL, tl_keras)
        return {
            "versions": [package.__version__ for package in packages] + [version("keras-hub")],
            "graph": repr(graph),
            "weights": digest_arrays(weight.numpy() for weight in prefix.weights),
            "row": self._row(key),
        }

    def _targets(self, source, stores, keys):
        shape = (source.num_examples, *source.target_shape)
        place = next(((keys[key], store) for key, store in stores.items() if store), None)
        key, store = (activation_key({"targets_of": place[0]}), place[1]) if place else (None, None)
        return _Column(key, (shape, "float32"), store)


def _wait_for(outputs):
    """Reads tensors: the call that computes them returns before a GPU has done so.

    `tf.test.experimental.sync_devices` would wait, too, but TensorFlow 2.21 refuses it with several workers.
    """
    for output in outputs:
        output.numpy()


@dataclass(frozen=True)
class _Column:
    """Describes an array to be stored, on disk or in memory."""

    key: str | None
    spec: tuple
    store: object

    def open(self):
        return self.store.open(self.key) if self.store else None

    def create(self):
        if self.store:
            return self.store.create(self.key, *self.spec)
        return contextlib.nullcontext(_MemoryWriter(*self.spec))


class _MemoryWriter:
    """Fills an array row by row, with the interface of `ActivationWriter`."""

    def __init__(self, shape, dtype):
        self.array = np.empty(shape, dtype)
        self._rows = 0

    def append(self, rows):
        self.array[self._rows : self._rows + len(rows)] = rows
        self._rows += len(rows)
