"""Reader of weight files of every Keras format: named layers with arrays. Runs no code of the file."""

import contextlib
import json
import re
import zipfile
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np

from tl_keras.errors import MAX_QUOTED, InputError, quoted
from tl_keras.models.weights.hdf5_check import open_hdf5
from tl_keras.models.weights.zip_members import member_bytes
from tl_keras.system.budget import Budget

SUFFIXES = (".keras", ".h5")
CLASS_NAMES_MEMBER = "class_names.json"
WEIGHTS_MEMBER = "model.weights.h5"
UNREADABLE = (OSError, LookupError, ValueError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class StoredLayer:
    """Represents a layer in a file; its arrays stay on disk until `read`, whatever size they declare."""

    name: str
    """Name of the layer; parts of a nested layer are joined with `/`."""
    kind: str
    """Class of the layer in lower case; empty where the format does not store it."""
    arrays: tuple[h5py.Dataset | np.ndarray, ...]
    """Arrays in the order of the layer's own variables."""

    @property
    def shapes(self):
        """Tuple of the arrays' shapes."""
        return tuple(array.shape for array in self.arrays)

    def read(self):
        """Reads the arrays.

        Returns:
            List of NumPy arrays.

        Raises:
            InputError: the file is damaged.
        """
        with readable(self.name):
            return [_as_numbers(np.asarray(array)) for array in self.arrays]


def _as_numbers(array):
    """Converts bfloat16, which HDF5 does not know and h5py reads as opaque bytes, to float32."""
    is_bfloat16 = array.dtype.kind == "V" and array.dtype.itemsize == 2
    return array.view(ml_dtypes.bfloat16).astype("float32") if is_bfloat16 else array


def find_weight_file(path):
    """Finds the weight file of a path.

    Args:
        path: a `.keras`, `.weights.h5` or `.h5` file, a run folder with `model.keras`, or a folder with one such file.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: the file does not exist, or the folder holds no or several weight files.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.is_file() or path.suffix not in SUFFIXES:
            raise InputError(
                f"No weights at {str(path)!r}: give an existing .keras, .weights.h5 or .h5 file or run folder, none "
                "for random weights, or leave --model.weights out for pretrained ones."
            )
        return path
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    main = [file for file in files if file.name == "model.keras"] or files
    if len(main) != 1:
        listing = f"found {len(files)}: {', '.join(file.name for file in files)}" if files else "found none"
        raise InputError(
            f"The folder {str(path)!r} must hold model.keras or one .keras or .h5 file ({listing}): name the file."
        )
    return main[0]


def is_weight_file(weights, names, sha256):
    """Checks whether the `weights` argument of a builder is a path.

    Args:
        weights: the argument, None for random weights.
        names: sequence of the names of weights that need no file.
        sha256: hexadecimal SHA-256 for a file, or None.

    Returns:
        bool, False for None and the names.

    Raises:
        InputError: a SHA-256 is given without a file.
    """
    is_file = weights not in (None, *names)
    if sha256 and not is_file:
        raise InputError(
            f"A SHA-256 was given for the weights {weights!r}, which are not a file: give --model.weights PATH."
        )
    return is_file


def read_class_names(path):
    """Reads the class names that `save_model` stores in a model file.

    Args:
        path: as for `find_weight_file`.

    Returns:
        Tuple of names in the order of the model's outputs, or None where the file holds no names.

    Raises:
        InputError: the file does not exist or is damaged.
    """
    path = find_weight_file(path)
    if path.suffix != ".keras":
        return None
    with readable(path), zipfile.ZipFile(path) as archive:
        if CLASS_NAMES_MEMBER not in archive.namelist():
            return None
        names = json.loads(member_bytes(archive, CLASS_NAMES_MEMBER))
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ValueError(f"its {CLASS_NAMES_MEMBER} is not a list of names")
        if not all(names) or len(set(names)) != len(names):
            raise ValueError(f"its {CLASS_NAMES_MEMBER} has an empty name, or a name twice")
        # JSON may hold halves of characters, which no file or terminal takes.
        "".join(names).encode()
        return tuple(names)


@contextlib.contextmanager
def open_layers(path):
    """Opens the layers of a weight file.

    Args:
        path: a `.keras`, `.weights.h5` or `.h5` file.

    Yields:
        List of `StoredLayer` with at least one array each, valid while the context is open.

    Raises:
        InputError: the file is damaged, has another format, or refers to other files.
    """
    budget = Budget()
    with contextlib.ExitStack() as stack:
        with readable(path):
            source = path
            if Path(path).suffix == ".keras":
                with zipfile.ZipFile(path) as archive:
                    source = member_bytes(archive, WEIGHTS_MEMBER)
            file, _ = stack.enter_context(open_hdf5(source, budget))
            root = child_of(file, "model_weights") if "model_weights" in file else file
            is_legacy = any(name.startswith("layer_names") for name in root.attrs)
            layers = _legacy_layers(root, budget) if is_legacy else _stored_layers(file)
        yield layers


@contextlib.contextmanager
def readable(subject):
    """Converts errors of reading a weight file to `InputError`.

    Args:
        subject: file or layer that is read, for the message.

    Raises:
        InputError: the file is damaged, has another format, or is malicious.
    """
    try:
        yield
    except UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        reason = str(error)[:MAX_QUOTED]
        raise InputError(
            f"Cannot read the weights in {str(subject)!r} ({reason}): expected a file written by Keras's save or "
            "save_weights; copy or download it again."
        ) from error


def child_of(group, path):
    """Finds an object of an HDF5 file by hard links only; other links could lead out of the file.

    Args:
        group: `h5py.Group`.
        path: names joined with `/`.

    Returns:
        `h5py.Group` or `h5py.Dataset`.

    Raises:
        ValueError: the object is missing or is a link.
    """
    for part in path.split("/"):
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{quoted(part)} is missing or is a link")
        group = group[part]
    return group


def _legacy_layers(root, budget):
    """Reads the `.h5` format of Keras 1 and 2: lists of layer names and weight names in call order."""
    arrays, seen = defaultdict(list), set()
    for layer in _attribute(root, "layer_names", budget):
        if layer in seen:
            raise ValueError(f"it lists {quoted(layer)} twice")
        seen.add(layer)
        group = child_of(root, layer)
        for weight in _attribute(group, "weight_names", budget):
            if (layer, weight) in seen:
                raise ValueError(f"it lists {quoted(weight)} twice")
            seen.add((layer, weight))
            owner = weight.rpartition("/")[0] or layer
            arrays[owner].append(child_of(group, weight))
    return [StoredLayer(name, "", tuple(datasets)) for name, datasets in arrays.items()]


def _attribute(group, name, budget):
    budget.visit(len(group.attrs))
    # Lists above 64 kB are split into name0, name1, ...
    keys = [name] if name in group.attrs else [key for key in group.attrs if re.fullmatch(rf"{name}\d+", key)]
    values = [value for key in sorted(keys, key=lambda key: (len(key), key)) for value in group.attrs[key]]
    budget.visit(len(values))
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _stored_layers(file):
    """Reads the format of Keras 3: groups named by class and number, with the layer's name as an attribute."""
    if "layers" not in file:
        raise ValueError("it holds no layers")
    layers = list(_walk(child_of(file, "layers"), ()))
    if layers and not any(layer.name for layer in layers):
        raise ValueError("it holds no layer names; save it again with a current Keras")
    return layers


def _walk(group, owners):
    for key in sorted(group, key=_in_order):
        child = child_of(group, key)
        if not isinstance(child, h5py.Group):
            continue
        variables = child_of(child, "vars") if "vars" in child else None
        names = owners
        if variables is not None and "name" in variables.attrs:
            names = (*owners, variables.attrs["name"])
            arrays = tuple(child_of(variables, index) for index in sorted(variables, key=_in_order))
            if arrays:
                yield StoredLayer("/".join(names), re.sub(r"_\d+$", "", key).replace("_", ""), arrays)
        if key != "vars":
            yield from _walk(child, names)


def _in_order(key):
    """Returns a sort key for Keras's numbering: conv2d, conv2d_1, conv2d_2, conv2d_10."""
    match = re.fullmatch(r"(.*?)_?(\d*)", key)
    base, number = match[1], match[2]
    return base, int(number or 0)
