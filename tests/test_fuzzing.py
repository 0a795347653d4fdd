"""Fuzzed files: each is read or refused with an InputError, within ten CPU seconds and two gigabytes."""

import contextlib
import functools
import io
import json
import resource
import signal
import warnings
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.tiny_images import save_image
from tl_keras.config import flag_names
from tl_keras.config.parsing import parse
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.decoding import read_image, read_upright
from tl_keras.data.images.sizes import upright_size
from tl_keras.data.images.table import read_table
from tl_keras.data.texts.table import read_text_table
from tl_keras.errors import InputError
from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.saved.saving import open_model
from tl_keras.models.weights.files import open_layers
from tl_keras.runs.run_folder import RunFolder
from tl_keras.tasks.registry import TASKS
from tl_keras.training.results import comparison_lines

MAX_SECONDS, MAX_KILOBYTES = 10, 2 * 1024**2
FEW, MANY = 15, 1_200
SETTINGS = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "nan", "1e-3", "010", "no", "../x", "\ud800", 10**400, -1, 2**31, "all", "head", "[]", "{}"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FLAGS = sorted(set(flag_names()) - {"--run"})
KEYS = [name.removeprefix("--").split(".") for name in FLAGS]
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "height": 30, "width": 40}, {"id": 2, "file_name": "b.png"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 10], "iscrowd": 0},
        {"id": 2, "image_id": 2, "category_id": 2, "bbox": [5, 5, 20, 20]},
    ],
    "categories": [{"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}],
}
TABLES = {
    "table.csv": b'text,label,path,split\n"a ""b""",x,a.png,train\nc,y,b.png,\n',
    "table.tsv": b"text\tlabel\tpath\na\tx\ta.png\nb\ty\tb.png\n",
    "table.jsonl": b'{"text": "a", "label": "x", "path": "a.png"}\n{"text": "b", "label": ["y"], "path": "b.png"}\n',
}
BOX_TABLE = b"path,xmin,ymin,xmax,ymax,label\na.png,1,1,9,9,x\nb.png,2,2,8,8,y\n"
YOLO = b"names: {0: ant, 1: bee}\ntrain: images\n"
VOC = (
    b"<annotation><filename>a.png</filename><size><width>40</width><height>30</height></size><object><name>ant</name>"
    b"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
)


@contextlib.contextmanager
def input_errors_only():
    """Suppresses an InputError; any other error, a long run or high memory use fails the test."""

    def stop(*_):
        raise AssertionError(f"more than {MAX_SECONDS} seconds")

    # Processor time, because an alarm on a busy machine may ring while a pool of threads waits, and lock it forever.
    before, old = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        with warnings.catch_warnings(action="ignore"), contextlib.suppress(InputError):
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_KILOBYTES


@st.composite
def damaged(draw, content):
    """Draws the content with some bytes changed, repeated, removed or inserted."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["flip", "cut", "end", "insert", "repeat"]))
        if kind == "flip" and content:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[place : place + draw(st.integers(1, 20))]
        elif kind == "end":
            del content[place:]
        elif kind == "insert":
            strange = st.sampled_from(
                [b"\0", b'"', b"\n", b",", b"\t", b"\xff", b"\xff\xff\xff\xff", b"[", b"&a", b": "]
            )
            content[place:place] = draw(strange | st.binary(max_size=8)) * draw(st.sampled_from([1, 1, 1, 3, 5000]))
        else:
            content += content[place : place + 200]
    return bytes(content)


@st.composite
def altered(draw, value):
    """Draws a JSON value with some parts replaced."""
    if draw(st.integers(0, 12)) == 0:
        return draw(VALUES)
    if isinstance(value, dict):
        items = {key: draw(altered(inner)) for key, inner in value.items() if draw(st.integers(0, 20))}
        return items | (draw(st.dictionaries(st.text(max_size=4), VALUES, max_size=1)) if draw(st.booleans()) else {})
    if isinstance(value, list):
        return [draw(altered(inner)) for inner in value for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2])))]
    return value


@st.composite
def configurations(draw):
    """Draws YAML of known keys with arbitrary values, or arbitrary text."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.text(alphabet="abc:-[]{}&*!|>'\"%@`#,? \n\t0159.e", max_size=200)).encode()
    tree = {}
    for keys in draw(st.lists(st.sampled_from(KEYS), max_size=5)):
        inner = tree
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
            inner = inner if isinstance(inner, dict) else {}
        inner[keys[-1]] = draw(VALUES)
    dump = draw(st.sampled_from([yaml.safe_dump, json.dumps]))
    content = dump(tree).encode("utf-8", "surrogatepass")
    return draw(damaged(content)) if draw(st.booleans()) else content


def encoded(image, image_format, **options):
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def images():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    plain = [encoded(noise, name) for name in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")]
    animated = [
        encoded(noise, name, save_all=True, append_images=[noise]) for name in ("GIF", "WEBP", "TIFF", "PNG", "MPO")
    ]
    modes = [encoded(noise.convert(mode), "TIFF") for mode in ("L", "1", "P", "CMYK", "LAB", "YCbCr", "I", "F", "RGBA")]
    packed = [encoded(noise, "TIFF", compression=name) for name in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")]
    others = [encoded(noise, "JPEG", exif=exif, progressive=True), encoded(noise.convert("CMYK"), "JPEG")]
    return [*plain, *animated, *modes, *packed, *others, encoded(noise.quantize(9), "PNG", exif=exif)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("fuzzing")
    for name in ("a.png", "b.png", "images/a.png"):
        save_image(root / name)
    return root


def check_configuration(folder, content):
    (folder / "config.yaml").write_bytes(content)
    with input_errors_only():
        parse(["--config", str(folder / "config.yaml")])


def check_flags(folder, flags):
    with input_errors_only():
        parse([f"{flag}={value}" for flag, value in flags])


def check_table(folder, table):
    name, content = table
    (folder / name).write_bytes(content)
    for read in (read_text_table, read_table):
        with input_errors_only():
            records = read(folder / name)
            assert len(records) == len(records.labels) == len(records.splits) and len(records.class_names) > 1


def check_coco(folder, content):
    (folder / "boxes.json").write_bytes(content)
    with input_errors_only():
        find_boxes(folder / "boxes.json")


def check_box_table(folder, content):
    (folder / "boxes.csv").write_bytes(content)
    with input_errors_only():
        find_boxes(folder / "boxes.csv")


def check_yolo(folder, contents):
    (folder / "labels").mkdir(exist_ok=True)
    for name, content in zip(("data.yaml", "labels/a.txt"), contents, strict=True):
        (folder / name).write_bytes(content)
    with input_errors_only():
        find_boxes(folder / "data.yaml")


def check_voc(folder, content):
    (folder / "images" / "a.xml").write_bytes(content)
    with input_errors_only():
        find_boxes(folder / "images")


def check_image(folder, content):
    for read in (lambda: read_image(content, 16, "pad"), lambda: read_upright(content), lambda: upright_size(content)):
        with input_errors_only():
            read()


@functools.cache
def weights():
    """Returns a small weight file of Keras."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name in ("dense", "dense_1"):
            variables = file.create_group(f"layers/{name}/vars")
            variables.attrs["name"] = name
            variables["0"], variables["1"] = np.zeros((2, 3), "float32"), np.zeros(3, "float32")
    return stream.getvalue()


@functools.cache
def model_config():
    image = keras.Input((8, 8, 3))
    outputs = keras.layers.MultiHeadAttention(1, 2)(*[keras.layers.Reshape((-1, 3))(image)] * 2)
    outputs = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling1D()(outputs))
    return json.loads(json.dumps(keras.saving.serialize_keras_object(keras.Model(image, outputs))))


def add_array(file, name, number):
    file.create_dataset(name, (number,), "f4")


def add_chunks(file, name, number):
    data = file.create_dataset(name, (number,), "f4", chunks=(number * 1000,), maxshape=(None,), compression="gzip")
    data.id.write_direct_chunk((0,), bytes(number))


def add_link(file, name, number):
    file[name] = h5py.SoftLink("/layers") if number % 2 else h5py.ExternalLink("weights.h5", "/")


def add_second_name(file, name, number):
    file[name] = file["layers"]


def add_names(file, name, number):
    file.attrs["layer_names"] = np.array([b"layers"] * number)
    file["layers"].attrs["weight_names"] = np.array([name.encode()] * number)


def add_attribute(file, name, number):
    values = [number, "x" * number, [b"x"] * number, np.zeros(number, "c8"), h5py.Empty("f4")]
    file["layers"].attrs[name] = values[number % 5]


ADDITIONS = (add_array, add_chunks, add_link, add_second_name, add_names, add_attribute)
PLACES = ("model_weights", "layers/dense/vars/2", "layers/dense/vars/name", "layers/x", "layers/dense/layers", "vars")


def check_weights(folder, content):
    """Reads a weight file: bytes, or additions to the structure of a valid one."""
    stream = io.BytesIO(content if isinstance(content, bytes) else weights())
    if not isinstance(content, bytes):
        with h5py.File(stream, "r+") as file:
            for add, name, number in content:
                with contextlib.suppress(ValueError, RuntimeError, OSError, TypeError):
                    add(file, name, number)
    (folder / "file.weights.h5").write_bytes(stream.getvalue())
    with input_errors_only(), open_layers(folder / "file.weights.h5") as layers:
        for layer in layers:
            layer.read()


def check_model(folder, config):
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights())
    with input_errors_only():
        open_model(folder / "model.keras")


def check_preset_folder(folder, config):
    (folder / "preset").mkdir(exist_ok=True)
    (folder / "preset" / "config.json").write_text(json.dumps(config))
    (folder / "preset" / "model.weights.h5").write_bytes(weights())
    with input_errors_only():
        check_preset(folder / "preset")


def check_run(folder, contents):
    """Reads what `evaluate` reads of a run, from bytes of its records."""
    run = RunFolder(folder / "run")
    run.path.mkdir(exist_ok=True)
    for name, content in zip(("metrics.json", "data.json", "log.jsonl", "SHA256SUMS"), contents, strict=True):
        (run / name).write_bytes(content)
    for read in (
        lambda: comparison_lines(run.read_json("metrics.json"), TASKS["image_classification"]),
        lambda: run.require_same_data({"training": 1}),
        lambda: run.read_log("epoch", {"epoch": int}),
        run.require_unchanged,
    ):
        with input_errors_only():
            read()


BASELINE = {"name": "majority class", "accuracy": 0.3, "intervals": {"accuracy": [0.1, 0.5]}}
METRICS = {"examples": 6, "accuracy": 0.5, "baselines": [BASELINE], "verdict": ["better"], "score_threshold": 0.5}
DATA = {"training": 24, "classes": 3, "sha256": "a", "target": {"training": 2, "sha256": "b"}}
LOG = b'{"event": "epoch", "epoch": 1}\n{"event": "phase"}\n'
SUMS = b"0" * 64 + b"  metrics.json\n" + b"1" * 64 + b"  data.json\n"
RECORDS = st.tuples(
    altered(METRICS).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    altered(DATA).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    damaged(LOG),
    damaged(SUMS),
)
STRUCTURE = st.lists(st.tuples(st.sampled_from(ADDITIONS), st.sampled_from(PLACES), st.integers(0, 3000)), max_size=4)
MODEL = st.deferred(lambda: altered(model_config()))
COCO_JSON = altered(COCO).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
TABLE = st.sampled_from(sorted(TABLES)).flatmap(lambda name: st.tuples(st.just(name), damaged(TABLES[name])))
# Function that checks the file, strategy for its content, and number of examples relative to the slowest format.
FORMATS = {
    "configuration": (check_configuration, configurations(), 1),
    "flags": (check_flags, st.lists(st.tuples(st.sampled_from(FLAGS), VALUES.map(str) | st.text()), max_size=3), 1),
    "table": (check_table, TABLE, 10),
    "COCO's JSON": (check_coco, COCO_JSON | damaged(json.dumps(COCO).encode()), 10),
    "table of boxes": (check_box_table, damaged(BOX_TABLE), 10),
    "YOLO": (check_yolo, st.tuples(damaged(YOLO), damaged(b"0 0.5 0.5 0.2 0.2\n1 .1 .1 .2 .1 .2 .3\n")), 10),
    "VOC": (check_voc, damaged(VOC), 10),
    "weights": (check_weights, st.deferred(lambda: damaged(weights())) | STRUCTURE, 10),
    "model": (check_model, MODEL, 2),
    "preset": (check_preset_folder, MODEL, 1),
    "run": (check_run, RECORDS, 5),
    "image": (check_image, st.sampled_from(images()).flatmap(damaged) | st.binary(max_size=200), 20),
}


@pytest.mark.parametrize("examples", [FEW, MANY])
def test_the_number_of_files_is_that_of_the_promises(examples):
    number = examples * sum(factor for _, _, factor in FORMATS.values())
    assert f"{number:,} " in (Path(__file__).parents[1] / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"])
def test_only_input_errors_are_raised(name, examples, folder):
    check, contents, factor = FORMATS[name]

    # The few examples are the same each time; the many are drawn anew.
    @settings(max_examples=examples * factor, derandomize=examples == FEW, **SETTINGS)
    @given(contents)
    def run(content):
        check(folder, content)

    run()
