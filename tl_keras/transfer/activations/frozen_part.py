"""The activation cache: what frozen blocks compute is computed once, and the phases train on what was stored.

Blocks thaw last to first, so whatever lies before the cut of a later phase is still untouched when that phase comes.
One forward pass that stores the activations at the cut of every phase therefore serves them all.
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
from tl_keras.transfer.activations.batch_norm_folding import fold_batch_norm, settle_batch_norm
from tl_keras.transfer.activations.cuts import has_tokens, prefix_model
from tl_keras.transfer.activations.key import activation_key, digest_arrays
from tl_keras.transfer.activations.store import drop_pages
from tl_keras.transfer.multiply_adds import count_multiply_adds


@dataclass(frozen=True, eq=False)
class Features:
    """Stored activations at one cut, in place of images or tokens.

    Attributes:
        train: `ImageSet` or `BoxSet` of views * n activations, one view after the other, or `TokenFeatures`.
        validation: the same of the validation examples.
        views: how many augmented views of each image were stored; an epoch reads one of them.
    """

    train: ImageSet | BoxSet | TokenFeatures
    validation: ImageSet | BoxSet | TokenFeatures
    views: int = 1

    def release(self):
        """Gives the memory of rows back that were read from the disk."""
        for part in (self.train, self.validation):
            drop_pages(part.values if isinstance(part, TokenFeatures) else part.images)


class FrozenPart:
    """The part of a model up to some cuts, compiled once for every set of examples that goes through it.

    Its weights must stay as they are when it is first computed: some are worked into what is compiled.

    Args:
        model: functional `keras.Model` with one input, or over tokens.
        cuts: list of Keras tensors inside it, from `find_phase_cut`.
        dtype: name of the dtype to store activations in; None for that of each cut.
    """

    def __init__(self, model, cuts, dtype=None):
        self._model = model
        self._cuts = {id(cut): cut for cut in cuts}
        self._per_token = {key: has_tokens(model, cut) for key, cut in self._cuts.items()}
        self._dtype = dtype
        self._compiled = {}

    def bytes_per_example(self, source):
        """Returns a dict from the id of each cut to the bytes that it stores for an example of an `ImageSource`."""
        shares = {key: source.num_rows(per_token) / source.num_examples for key, per_token in self._per_token.items()}
        return {key: shares[key] * _row_bytes(*self._row(key)) for key in self._cuts}

    def draws_random_numbers(self):
        """Says whether the part has dropout inside, which is off where its activations are computed."""
        parts = (part for layer in self._whole().layers for part in layer._flatten_layers())
        return any(part._seed_generators for part in parts)

    def measure_seconds(self, inputs):
        """Measures how long the part takes up to each of its cuts.

        The time up to the last one is measured; those before it have a share by their arithmetic.

        Args:
            inputs: what the model takes, of a few examples.

        Returns:
            Dict from the id of each cut to seconds for one example.
        """
        compute = self._function(self._cuts)
        compute(inputs)  # The first call traces.
        started = time.perf_counter()
        compute(inputs)
        seconds = (time.perf_counter() - started) / len(keras.tree.flatten(inputs)[0])
        work = {key: count_multiply_adds(prefix_model(self._model, cut)) for key, cut in self._cuts.items()}
        return {key: seconds * own / max(1, *work.values()) for key, own in work.items()}

    def keys(self, source):
        """Digests everything that decides a value: examples, layers, weights, settings and versions.

        Args:
            source: `ImageSource`, `BoxSource` or `TokenSource`.

        Returns:
            Dict from the id of each cut to its key in an `ActivationStore`.
        """
        packages = (keras, tf, np, PIL, tl_keras)
        versions = [package.__version__ for package in packages] + [version("keras-hub")]
        examples = source.decided_by() | {"versions": versions}
        return {key: activation_key(examples | self._decided_by(key)) for key in self._cuts}

    def compute(self, source, stores):
        """Runs all examples through once and stores what comes out, unless it is stored already.

        Args:
            source: `ImageSource` or `TokenSource` of the examples.
            stores: dict from the id of each cut that is wanted to the `ActivationStore` that keeps its activations on
                the disk, also for other runs, or to None, which keeps them in memory.

        Returns:
            Dict from the id of each such cut to its activations: an `ImageSet` or `TokenFeatures`.
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
        """Computes and stores the columns that are missing; returns their arrays."""
        cuts = {key: cut for key, cut in self._cuts.items() if key in missing}
        compute = self._function(cuts)
        with contextlib.ExitStack() as stack:
            writers = {name: stack.enter_context(column.create()) for name, column in missing.items()}
            for inputs, targets, mask in source.batches():
                rows = dict(zip(cuts, compute(inputs), strict=True)) if cuts else {}
                for name, writer in writers.items():
                    found = np.asarray(rows.get(name, targets))
                    writer.append(found[mask] if self._per_token.get(name) else found)
        return {name: column.open() if column.store else writers[name].array for name, column in missing.items()}

    def _function(self, cuts):
        """Returns a compiled function from a batch of inputs to a list of tensors, one for each cut."""
        if tuple(cuts) not in self._compiled:
            prefix = prefix_model(self._model, list(cuts.values()))
            rounded = self._dtype == "bfloat16" or any(layer.compute_dtype != "float32" for layer in prefix.layers)
            prefix = fold_batch_norm(prefix) if rounded else settle_batch_norm(prefix)
            signature = keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), prefix.input)

            # Not `predict`: it would trace the network again for a last batch that is smaller than the others.
            @tf.function(input_signature=[signature])
            def compute(inputs):
                return keras.tree.flatten(prefix(inputs, training=False))

            def convert(inputs):
                return compute(keras.tree.map_structure(lambda x, spec: tf.cast(x, spec.dtype), inputs, signature))

            self._compiled[tuple(cuts)] = convert
        return self._compiled[tuple(cuts)]

    def _whole(self):
        return prefix_model(self._model, list(self._cuts.values()))

    def _row(self, key):
        """Returns the shape and the dtype of one row of a cut."""
        cut = self._cuts[key]
        shape = cut.shape[2:] if self._per_token[key] else cut.shape[1:]
        return shape, self._dtype or keras.backend.standardize_dtype(cut.dtype)

    def _spec(self, key, source):
        shape, dtype = self._row(key)
        return (source.num_rows(self._per_token[key]), *shape), dtype

    def _decided_by(self, key):
        prefix = prefix_model(self._model, self._cuts[key])
        # Of the graph, not of its layers alone: they could be wired in another way, with other operations in between.
        graph = {name: value for name, value in prefix.get_config().items() if name != "name"}
        return {
            "graph": repr(graph),
            "weights": digest_arrays(weight.numpy() for weight in prefix.weights),
            "row": self._row(key),
        }

    def _targets(self, source, stores, keys):
        shape = (source.num_examples, *source.target_shape)
        place = next(((keys[key], store) for key, store in stores.items() if store), None)
        key, store = (activation_key({"targets_of": place[0]}), place[1]) if place else (None, None)
        return _Column(key, (shape, "float32"), store)


@dataclass(frozen=True)
class _Column:
    """An array to be stored, and where."""

    key: str | None
    spec: tuple
    store: object

    def open(self):
        return self.store.open(self.key) if self.store else None

    def create(self):
        return self.store.create(self.key, *self.spec) if self.store else _MemoryWriter(*self.spec)


class _MemoryWriter:
    """Fills an array row after row, as `ActivationWriter` fills a file."""

    def __init__(self, shape, dtype):
        self.array = np.empty(shape, dtype)
        self._rows = 0

    def append(self, rows):
        self.array[self._rows : self._rows + len(rows)] = rows
        self._rows += len(rows)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        return None


def _row_bytes(shape, dtype):
    return int(np.prod(shape)) * np.dtype(dtype).itemsize
