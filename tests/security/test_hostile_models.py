"""Model files that try to run code, read other files or fill the memory: refused before Keras opens them."""

import copy
import io
import json
import os
import pickle
import stat
import struct
import sys
import time
import zipfile
import zlib
from itertools import pairwise

import h5py
import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved.saving import open_model, save_model

SECRET = "top secret\n"
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pickle.find_class", "socket.connect")
watched = []


def watch(event, arguments):
    """Records forbidden audit events and opened files of the watched folder."""
    if watched and (event in FORBIDDEN or (event == "open" and str(arguments[0]).startswith(watched[0]))):
        watched.append((event, str(arguments)))


sys.addaudithook(watch)


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    return valid_members(tmp_path_factory.mktemp("valid") / "model.keras")


def valid_members(path):
    """Saves a valid model of two layers; returns a dict from the names of its members to bytes."""
    inputs = keras.Input((8, 8, 3), name="image")
    outputs = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    outputs = keras.layers.GlobalAveragePooling2D(name="pool")(outputs)
    save_model(keras.Model(inputs, keras.layers.Dense(3, name="dense")(outputs)), path, class_names=["a", "b", "c"])
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Creates a folder with secret files, a module that writes a canary, and a folder for the hostile file."""
    secret, folder = tmp_path / "secret", tmp_path / "run"
    secret.mkdir()
    folder.mkdir()
    (secret / "words.txt").write_text(SECRET)
    with h5py.File(secret / "arrays.h5", "w") as file:
        file["0"] = np.zeros(4, "float32")
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\nclass Layer: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(folder)
    return tmp_path


def pack(path, members, *more, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in [*members.items(), *more]:
            archive.writestr(name, content)


def refused(place, match=None):
    """Opens the hostile file and checks that it is refused in one line without side effects."""
    watched.append(str(place / "secret"))
    before = set(os.listdir(place))
    try:
        with pytest.raises(InputError, match=match) as error:
            open_model(place / "run" / "model.keras")
    finally:
        events = watched[1:]
        watched.clear()
    assert not events
    assert set(os.listdir(place)) == before and not (place / "canary").exists()
    assert SECRET.strip() not in str(error.value) and "\n" not in str(error.value)


def layer(module, name, config=None, registered=None):
    return {"module": module, "class_name": name, "config": config or {}, "registered_name": registered}


def function(module, name, registered="function"):
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}


def canary_lambda(place):
    """Serializes a Lambda layer that would create a canary file."""
    path = str(place / "canary")
    return keras.saving.serialize_keras_object(keras.layers.Lambda(lambda x: os.mkdir(path) or x))


CLASSES = {
    "Lambda": canary_lambda,
    "Lambda of another name": lambda place: {**canary_lambda(place), "registered_name": "keras.layers>Dense"},
    "Lambda registered as Dense": lambda place: layer("keras.layers", "Dense", {"units": 1}, "Lambda"),
    "TFSMLayer": lambda place: layer("keras.layers", "TFSMLayer", {"filepath": str(place / "secret")}),
    "TFSMLayer from its source": lambda place: layer(
        "keras.src.export.tfsm_layer", "TFSMLayer", {"filepath": str(place / "secret")}, "TFSMLayer"
    ),
    "TFSMLayer as a function": lambda place: function("keras.layers", "TFSMLayer"),
    "TFSMLayer as a built-in function": lambda place: function("builtins", "TFSMLayer"),
    "os.system": lambda place: function("os", "system"),
    "exec": lambda place: function("builtins", "exec"),
    "subprocess.Popen": lambda place: layer("subprocess", "Popen", {"args": "true", "shell": True}),
    "load_model": lambda place: function("keras.saving", "load_model"),
    "get_file": lambda place: function("keras.utils", "get_file"),
    "enable_unsafe_deserialization": lambda place: function("keras.config", "enable_unsafe_deserialization"),
    "a marshalled lambda": lambda place: {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
    "a type specification": lambda place: {
        "class_name": "__typespec__",
        "spec_name": "Layer",
        "module": "evil",
        "config": [],
        "registered_name": None,
    },
    "a tensor": lambda place: {"class_name": "__tensor__", "config": {"value": [0], "dtype": "float32"}},
    "bytes": lambda place: {"class_name": "__bytes__", "config": {"value": "x"}},
    "an array of objects": lambda place: {"class_name": "__numpy__", "config": {"value": [0], "dtype": "object"}},
    "an array of long strings": lambda place: {
        "class_name": "__numpy__",
        "config": {"value": [""], "dtype": "S999999999"},
    },
    "a module of the current folder": lambda place: layer("evil", "Layer", None, "evil>Layer"),
    "a PyTorch module": lambda place: layer("keras.layers", "TorchModuleWrapper", {"module": "x"}),
    "a JAX layer": lambda place: layer("keras.layers", "JaxLayer", {"call_fn": "x"}),
    "words from a file": lambda place: layer(
        "keras.layers", "StringLookup", {"vocabulary": str(place / "secret" / "words.txt")}
    ),
    "texts from a file": lambda place: layer(
        "keras.layers", "TextVectorization", {"vocabulary": str(place / "secret" / "words.txt")}
    ),
    "a tokenizer from a file": lambda place: layer(
        "keras_hub.src.models.bert.bert_tokenizer",
        "BertTokenizer",
        {"vocabulary": str(place / "secret" / "words.txt")},
        "keras_hub>BertTokenizer",
    ),
    "sentence pieces from a file": lambda place: layer(
        "keras_hub.src.models.albert.albert_tokenizer",
        "AlbertTokenizer",
        {"proto": str(place / "secret" / "words.txt")},
        "keras_hub>AlbertTokenizer",
    ),
    "merges from a file": lambda place: layer(
        "keras_hub.src.models.roberta.roberta_tokenizer",
        "RobertaTokenizer",
        {"merges": str(place / "secret" / "words.txt")},
        "keras_hub>RobertaTokenizer",
    ),
    "a task of KerasHub": lambda place: layer("keras_hub.src.models.task", "Task", {"preset": str(place / "secret")}),
    "a Lambda in a wrapper": lambda place: layer("keras.layers", "TimeDistributed", {"layer": canary_lambda(place)}),
    "a class without a module": lambda place: {"class_name": "Lambda", "config": {}},
    "a class whose name is a list": lambda place: layer("keras.layers", ["Dense"]),
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("where", ["as a layer", "as an initializer"])
def test_unknown_classes_are_refused(valid, place, name, where):
    config = json.loads(valid["config.json"])
    layers, hostile = config["config"]["layers"], CLASSES[name](place)
    if where == "as a layer":
        layers[-1] = {**layers[-1], **hostile}
    else:
        layers[-1]["config"]["kernel_initializer"] = hostile
    pack(place / "run" / "model.keras", {**valid, "config.json": json.dumps(config)})
    refused(place, "which this project does not write|would read a file")


@pytest.mark.parametrize("name", ["Lambda", "TFSMLayer as a function"])
@pytest.mark.parametrize("key", ["activation", "bias_constraint", "kernel_regularizer", "dtype", "unknown"])
def test_unknown_classes_are_refused_as_settings(valid, place, name, key):
    config = json.loads(valid["config.json"])
    config["config"]["layers"][-1]["config"][key] = CLASSES[name](place)
    pack(place / "run" / "model.keras", {**valid, "config.json": json.dumps(config)})
    refused(place, "which this project does not write")


def test_unknown_classes_are_refused_in_a_nested_model_and_its_compile_config(valid, place):
    inner, outer = json.loads(valid["config.json"]), json.loads(valid["config.json"])
    inner["compile_config"] = {"optimizer": CLASSES["os.system"](place)}
    outer["config"]["layers"][-1] = {**outer["config"]["layers"][-1], **inner}
    pack(place / "run" / "model.keras", {**valid, "config.json": json.dumps(outer)})
    refused(place, "does not write")


def put(key, value, number=-1):
    def change(config):
        config["config"]["layers"][number]["config"][key] = value

    return change


def replaced(name, settings):
    def change(config):
        entry = config["config"]["layers"][2]
        entry |= {"class_name": name, "config": {"name": entry["config"]["name"], **settings}}

    return change


BOMBS = {
    "a layer of 3e8 units": put("units", 300_000_000),
    "a layer of 16 million units": put("units", 16_000_000),
    "a filter of 16 million channels": put("filters", 16_000_000, 1),
    "an image of 100,000 pixels": put("batch_shape", [None, 100_000, 100_000, 3], 0),
    "an image of 20,000 pixels": put("batch_shape", [None, 20_000, 20_000, 3], 0),
    "a million borders": replaced("ZeroPadding2D", {"padding": 1_000_000}),
    "images enlarged beyond reason": replaced("UpSampling2D", {"size": 100_000}),
    "images resized": replaced("Resizing", {"height": 60_000, "width": 60_000}),
    "many words": replaced("Embedding", {"input_dim": 16_000_000, "output_dim": 1000}),
    "negative units": put("units", -5),
    "units that are text": put("units", "many"),
    "a missing setting": lambda config: config["config"]["layers"][-1].pop("config"),
    "no layers": lambda config: config["config"].pop("layers"),
    "a list in place of a dictionary": lambda config: config.update(config=[]),
    "a class in place of a model": lambda config: config.update(layer("keras.layers", "Dense", {"units": 1})),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_configuration_of_another_size_or_shape_is_refused(valid, place, name):
    config = json.loads(valid["config.json"])
    BOMBS[name](config)
    pack(place / "run" / "model.keras", {**valid, "config.json": json.dumps(config)})
    refused(place)


@pytest.mark.parametrize("depth", [200, 100_000])
def test_a_deeply_nested_configuration_is_refused(valid, place, depth):
    text = valid["config.json"].decode()[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
    pack(place / "run" / "model.keras", {**valid, "config.json": text})
    refused(place)


MEMBERS = {
    "a path upwards": "../evil.txt",
    "an absolute path": "/tmp/evil.txt",
    "an asset that leads upwards": "assets/layers/../evil.txt",
    "an asset with backslashes": "assets/layers/x/..\\..\\evil.txt",
    "a pickle": "weights.pkl",
    "code": "assets/layers/x/code.py",
    "other weights": "model.weights.npz",
}


@pytest.mark.parametrize("name", MEMBERS)
def test_an_unknown_member_is_refused(valid, place, name):
    pack(place / "run" / "model.keras", valid, (MEMBERS[name], b"evil"))
    refused(place, "an unexpected member")


def test_a_link_in_the_archive_is_refused(valid, place):
    link = zipfile.ZipInfo("assets/layers/x/vocabulary.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pack(place / "run" / "model.keras", valid, (link, "../../secret/words.txt"))
    refused(place, "is a link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members_are_refused(valid, place):
    pack(place / "run" / "model.keras", valid, ("config.json", valid["config.json"]))
    refused(place, "two members of the same name")


def test_a_thousand_members_are_refused(valid, place):
    pack(place / "run" / "model.keras", valid, *((f"assets/layers/{n}/x.txt", b"") for n in range(1000)))
    refused(place, "too many members")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "assets/layers/x/vocabulary.txt"])
def test_a_highly_compressed_member_is_refused(valid, place, name):
    pack(place / "run" / "model.keras", {**valid, name: bytes(30_000_000)}, compression=zipfile.ZIP_DEFLATED)
    refused(place, "suspicious compression ratio")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_missing_member_is_refused(valid, place, name):
    pack(place / "run" / "model.keras", {key: value for key, value in valid.items() if key != name})
    refused(place)


def links(file, place):
    del file["layers/dense/vars/0"]
    return file["layers/dense/vars"]


def external_link(file, place):
    links(file, place)["0"] = h5py.ExternalLink(str(place / "secret" / "arrays.h5"), "/0")


def soft_link(file, place):
    links(file, place)["0"] = h5py.SoftLink("/layers/dense/vars/1")


def external_data(file, place):
    links(file, place).create_dataset("0", (4,), "f4", external=[(str(place / "secret" / "words.txt"), 0, 16)])


def virtual_data(file, place):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(place / "secret" / "arrays.h5"), "0", (4,))
    links(file, place).create_virtual_dataset("0", layout)


def unwritten(file, place):
    links(file, place).create_dataset("0", (3_000_000_000,), "f4")


def unwritten_chunks(file, place):
    links(file, place).create_dataset("0", (3_000_000_000,), "f4", chunks=(1000,))


def compressed(file, place):
    links(file, place).create_dataset("0", data=np.zeros(10**6, "f4"), compression="gzip")


def references(file, place):
    links(file, place).create_dataset("0", data=np.array([file.ref], h5py.ref_dtype))


def texts(file, place):
    links(file, place).create_dataset("0", data=["x"], dtype=h5py.string_dtype())


def circle(file, place):
    file["layers/dense/layers"] = file["layers"]


def graph(file, place):
    """Creates 60 groups with two links each to the next: 2 ** 60 paths."""
    groups = [file.create_group(f"layers/dense/{number}") for number in range(60)]
    for group, following in pairwise(groups):
        group["a"] = group["b"] = following


def short_chunk(file, place):
    """Declares more bytes of a chunk than are stored: HDF5 fills the rest from the memory of the process."""
    data = links(file, place).create_dataset("0", (3,), "f4", chunks=(10**6,), maxshape=(None,))
    data.id.write_direct_chunk((0,), bytes(4))


def bomb(file, place):
    """Stores a gigabyte as one deflated chunk of a megabyte."""
    data = links(file, place).create_dataset("0", (3,), "f4", chunks=(2**28,), maxshape=(None,), compression="gzip")
    deflate = zlib.compressobj(wbits=-15)
    # Deflated once and repeated, which a full flush allows; the sum of bytes that are zero is their number.
    part = deflate.compress(bytes(2**24)) + deflate.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">HH", 2**30 % 65_521, 1)
    data.id.write_direct_chunk((0,), b"\x78\x9c" + 64 * part + deflate.flush() + checksum)


ARRAYS = [external_link, soft_link, external_data, virtual_data, unwritten, unwritten_chunks, compressed]
ARRAYS += [references, texts, circle, graph, short_chunk, bomb]


@pytest.mark.parametrize("change", ARRAYS, ids=lambda change: change.__name__)
def test_linked_and_missing_arrays_are_refused(valid, place, change):
    buffer = io.BytesIO(valid["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file, place)
    pack(place / "run" / "model.keras", {**valid, "model.weights.h5": buffer.getvalue()})
    started = time.process_time()
    refused(place, "Cannot read the weights")
    assert time.process_time() - started < 5


class Pickled:
    def __reduce__(self):
        return os.system, ("touch canary",)


@pytest.mark.parametrize(
    "content", [pickle.dumps(Pickled()), b"", b"<html></html>", b"PK\5\6" + bytes(18), b"\x89HDF\r\n\x1a\n" + bytes(99)]
)
def test_a_file_that_is_not_a_zip_archive_is_refused(place, content):
    (place / "run" / "model.keras").write_bytes(content)
    refused(place)


@pytest.mark.filterwarnings("ignore")
def test_a_whole_model_in_hdf5_is_refused_under_either_name(place):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(place / "run" / "model.h5")
    with pytest.raises(InputError, match="Only .keras files"):
        open_model(place / "run" / "model.h5")
    (place / "run" / "model.h5").rename(place / "run" / "model.keras")
    refused(place)


def test_a_folder_is_refused(place):
    (place / "run" / "model.keras").mkdir()
    (place / "run" / "model.keras" / "saved_model.pb").write_bytes(b"")
    refused(place)


def test_a_flipped_byte_never_opens_a_different_model(valid, place):
    path = place / "run" / "model.keras"
    pack(path, valid)
    data, expected = path.read_bytes(), weights_of(open_model(path))
    generator = np.random.default_rng(0)
    opened = 0
    for spot in generator.choice(len(data), 40, replace=False):
        path.write_bytes(data[:spot] + bytes([data[spot] ^ 1 << generator.integers(8)]) + data[spot + 1 :])
        try:
            assert weights_of(open_model(path)) == expected
            opened += 1
        except InputError:
            continue
    assert opened < 20


def weights_of(model):
    return [weight.tobytes() for weight in model.get_weights()]


def test_the_compile_config_of_a_valid_model_is_ignored(valid, place):
    config = json.loads(valid["config.json"])
    config["compile_config"] = {"optimizer": copy.deepcopy(CLASSES["os.system"](place))}
    pack(place / "run" / "model.keras", {**valid, "config.json": json.dumps(config)})
    assert open_model(place / "run" / "model.keras").count_params() > 0
