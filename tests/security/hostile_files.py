"""Hostile files of every kind that a reader takes: functions that make one in a folder and read it."""

import ctypes
import functools
import io
import itertools
import json
import os
import pickle
import socket
import struct
import subprocess
import tempfile
import zipfile
import zlib
from pathlib import Path

import h5py
from PIL import Image

from tests.data.images.test_decoding_limits import progressive
from tests.models.saved.test_preset_files import HOSTILE as PRESETS
from tests.security import test_hostile_models, test_messages
from tests.security.hostile_records import RECORDS
from tests.security.hostile_sizes import SIZES
from tests.security.test_hostile_runs import HOSTILE_KEYS
from tests.security.test_messages import boxes, preset, table, table_of_images, weights, written
from tl_keras.config.parsing import parse
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.decoding import read_image
from tl_keras.data.images.image_items import find_image_files
from tl_keras.models.saved.saving import open_model
from tl_keras.system.checksums import changed_files


def model(change):
    """Reads a valid model after a change of its configuration, with the folder as its argument if it takes two."""

    def run(folder):
        members = valid_model()
        config = json.loads(members["config.json"])
        change(config, folder)
        test_hostile_models.pack(folder / "model.keras", {**members, "config.json": json.dumps(config)})
        open_model(folder / "model.keras")

    return run


@functools.cache
def valid_model():
    """Returns the members of a valid model, which is built once."""
    with tempfile.TemporaryDirectory() as folder:
        return test_hostile_models.valid_members(Path(folder) / "model.keras")


def replaced_class(name):
    def change(config, folder):
        config["config"]["layers"][-1] |= test_hostile_models.CLASSES[name](folder)

    return model(change)


def replaced_arrays(change):
    def run(folder):
        members = valid_model()
        buffer = io.BytesIO(members["model.weights.h5"])
        (folder / "secret").mkdir()
        with h5py.File(folder / "secret" / "arrays.h5", "w") as file:
            file["0"] = [0.0] * 4
        with h5py.File(buffer, "r+") as file:
            change(file, folder)
        test_hostile_models.pack(folder / "model.keras", {**members, "model.weights.h5": buffer.getvalue()})
        open_model(folder / "model.keras")

    return run


def added_member(name):
    def run(folder):
        test_hostile_models.pack(folder / "model.keras", valid_model(), (name, b"evil"))
        open_model(folder / "model.keras")

    return run


def archive(content):
    def run(folder):
        (folder / "model.keras").write_bytes(content)
        open_model(folder / "model.keras")

    return run


def members_of_shared_bytes(folder):
    """Lists the same compressed megabyte 90 times under other names."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("assets/layers/x/0.txt", bytes(range(256)) * 4_000)
        first = file.infolist()[0]
        for number in range(1, 90):
            copy = zipfile.ZipInfo(f"assets/layers/x/{number}.txt")
            for name in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(copy, name, getattr(first, name))
            file.filelist.append(copy)
    open_model(path)


def image(content):
    return lambda folder: read_image(content, 32)


def png(width, height, mode=6, data=b""):
    """Returns a PNG that states a size, with any compressed data."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, mode, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def encoded(image_format, size=(16, 16), mode="RGB"):
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, image_format)
    return stream.getvalue()


def configuration(text):
    return lambda folder: parse(["--config", str(written(folder / "config.yaml", text))])


def manifest(text):
    return lambda folder: changed_files(written(folder / "SHA256SUMS", text).parent)


def folder_of_boxes(name, text):
    return lambda folder: find_boxes(written(folder / name, text).parent)


def paths(name, text):
    """Reads a table of the paths of images to predict."""
    return lambda folder: find_image_files([str(written(folder / name, text))])


def voc(text):
    return folder_of_boxes("a.xml", text)


ENTITIES = '<!DOCTYPE a [<!ENTITY x "{0}">]><annotation><filename>&x;</filename></annotation>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'
NESTED = "[" * 100_000
MANY = ",".join(map(str, range(100_000)))
LINE = f"{'0' * 64}  "
COCO = {"images": [], "annotations": [], "categories": []}
MODELS = {f"class: {name}": replaced_class(name) for name in test_hostile_models.CLASSES}
MODELS |= {
    f"size: {name}": model(lambda config, _, change=change: change(config))
    for name, change in test_hostile_models.BOMBS.items()
}
MODELS |= {f"arrays: {change.__name__}": replaced_arrays(change) for change in test_hostile_models.ARRAYS}
MODELS |= {f"member: {name}": added_member(path) for name, path in test_hostile_models.MEMBERS.items()}
MODELS |= {
    "archive: empty": archive(b""),
    "archive: a page": archive(b"<html></html>"),
    "archive: no member": archive(b"PK\5\6" + bytes(18)),
    "archive: members of shared bytes": members_of_shared_bytes,
    "archive: HDF5": archive(b"\x89HDF\r\n\x1a\n" + bytes(99)),
    "weights: a link to itself": weights(lambda file: file.__setitem__("layers", h5py.SoftLink("/layers"))),
    "weights: a layer without end": weights(lambda file: file.create_group("/".join(["layers"] * 70))),
}
MODELS |= {f"preset: {name}": preset(content) for name, content in PRESETS.items()}
TEXTS = {f"long name: {name}": run for name, run in test_messages.CASES.items()}
TEXTS |= {f"configuration: {text}": configuration(text) for text in HOSTILE_KEYS}
TEXTS |= {
    "configuration: aliases": configuration("a: &a [x, x]\nb: &b [*a, *a]\nseed: *b\n"),
    "configuration: a megabyte": configuration("seed: " + "1" * 1_000_000),
    "configuration: nested": configuration(NESTED[:60_000]),
    "configuration: a long number": configuration("seed: " + "9" * 50_000),
    "configuration: a list": configuration("- 1"),
    "configuration: bytes": lambda folder: parse(["--config", str(_bytes(folder / "c.yaml"))]),
    "manifest: upwards": manifest(f"{LINE}../../etc/passwd\n"),
    "manifest: absolute": manifest(f"{LINE}/etc/passwd\n"),
    "manifest: one name 100,000 times": manifest(f"{LINE}a\n" * 100_000),
    "manifest: 200,000 names": manifest("".join(f"{LINE}{number}\n" for number in range(120_000))),
    "table: no line end": table("text,label\n" + '"' * 100_000),
    "table: one column": table("text\n" + "a\n" * 100),
    "table: empty": table(""),
    "COCO: nothing": boxes("boxes.json", COCO),
    "COCO: nested": boxes("boxes.json", NESTED),
    "COCO: a path upwards": boxes("boxes.json", COCO | {"images": [{"id": 1, "file_name": "../../etc/passwd"}]}),
    "COCO: an absolute path": boxes("boxes.json", COCO | {"images": [{"id": 1, "file_name": "/etc/passwd"}]}),
    "COCO: a path of many folders": boxes("boxes.json", COCO | {"images": [{"id": 1, "file_name": "/a" * 100_000}]}),
    "COCO: infinity": boxes("boxes.json", COCO | {"images": [{"id": float("inf"), "file_name": float("nan")}]}),
    "COCO: lists of lists": boxes("boxes.json", COCO | {"annotations": [[1]], "categories": [[{}]]}),
    "YOLO: a folder upwards": folder_of_boxes("data.yaml", "names: [a, b]\ntrain: ../../..\n"),
    "YOLO: an absolute file": folder_of_boxes("data.yaml", "names: [a, b]\ntrain: /etc/passwd\n"),
    "YOLO: a path elsewhere": folder_of_boxes("data.yaml", "names: [a, b]\npath: /etc\ntrain: .\n"),
    "YOLO: nested": boxes("data.yaml", f"names: {NESTED}\n"),
    "VOC: an external entity": voc(EXTERNAL),
    "VOC: a large entity": voc(ENTITIES.format("x" * 1_000_000)),
    "VOC: nested": voc("<a>" * 100_000),
    "VOC: no XML": voc("\0"),
}
TEXTS |= {
    "paths: upwards": paths("a.csv", "path\n../../etc/passwd\n"),
    "paths: absolute": paths("a.csv", "path\n/etc/passwd\n"),
    "paths: labelled, absolute": table_of_images("path,label\n/etc/passwd,a\na.png,b\n"),
    "paths: NUL": paths("a.csv", "path\na.png\0.png\n"),
    "paths: a million folders": paths("a.csv", f"path\n{'a/' * 1_000_000}b.png\n"),
    "paths: half of a character": paths("a.jsonl", '{"path": "\\ud800.png"}\n'),
    "paths: an object": paths("a.jsonl", '{"path": {"bytes": "a.png"}}\n'),
    "paths: a nested cell": paths("a.jsonl", f'{{"path": "a.png", "x": {NESTED[:500]}{"]" * 500}}}\n'),
    "paths: none in many columns": paths("a.csv", f"{MANY},{MANY.replace(',', ',x')}\n"),
    "paths: a column twice among many": paths("a.csv", f"path,7,{MANY}\na.png,7,{MANY}\n"),
    "paths: columns of each line": paths(
        "a.jsonl", "".join(f'{{"path": "a.png", "{row}": 1}}\n' for row in range(50_000))
    ),
}
IMAGES = {
    "image: 10,000 megapixels": image(png(100_000, 100_000)),
    "image: negative size": image(png(2**31, 2**31)),
    "image: no pixels": image(png(0, 0)),
    "image: less data than it states": image(png(9_000, 9_000, data=zlib.compress(bytes(1000)))),
    "image: no data": image(png(9, 9)),
    "image: 2,000 scans": image(progressive(2_000)),
    "image: a page": image(b"<html></html>"),
    "image: PostScript": image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "image: SVG": image(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
    "image: empty": image(b""),
    "image: floating point": image(encoded("TIFF", mode="F")),
}
IMAGES |= {
    f"image: half of a {name}": image(encoded(name)[: len(encoded(name)) // 2])
    for name in ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "AVIF", "GIF")
}
CASES = {**TEXTS, **IMAGES, **SIZES, **MODELS, **RECORDS}


def _bytes(path):
    path.write_bytes(b"\xff\xfe\0")
    return path


CONTROLS = {
    "a file": lambda folder: open("/etc/passwd").close(),
    "a file above": lambda folder: open(folder.parent / "new", "w").close(),
    "a process": lambda folder: subprocess.run(["true"], check=True),
    "a socket": lambda folder: socket.create_connection(("127.0.0.1", 9), timeout=0.1),
    "a pickle": lambda folder: pickle.loads(b"cos\nsystem\n."),
    "time": lambda folder: all(str(number) for number in itertools.count()),
    "memory": lambda folder: bytearray(3 * 2**30),
}
"""What no hostile file may cause, to test that the process would see it."""


def follow_in_hdf5(link):
    """Lets HDF5, which is C code, open a second file because the first one names it."""

    def run(folder):
        with h5py.File(folder.parent / "canary.h5", "w") as file:
            file["0"] = [0.0] * 4
        with h5py.File(folder / "file.h5", "w") as file:
            link(file, str(folder.parent / "canary.h5"))
            file["x"][...]

    return run


def external_data(file, path):
    file.create_dataset("x", (4,), "f4", external=[(path, 0, 16)])


def virtual_data(file, path):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(path, "0", (4,))
    file.create_virtual_dataset("x", layout)


def link_inside(folder):
    (folder / "link").symlink_to("/etc/passwd")
    ctypes.CDLL(None).open(os.fsencode(folder / "link"), os.O_RDONLY)


C_CONTROLS = {
    "C: a file": lambda folder: ctypes.CDLL(None).open(b"/etc/passwd", os.O_RDONLY),
    "C: a file through a link": link_inside,
    "C: a file above": lambda folder: ctypes.CDLL(None).mkdir(os.fsencode(folder.parent / "new"), 0o755),
    "C: a process": lambda folder: ctypes.CDLL(None).system(b"true"),
    "C: a socket": lambda folder: ctypes.CDLL(None).socket(socket.AF_INET, socket.SOCK_STREAM, 0),
    "HDF5: a linked file": follow_in_hdf5(lambda file, path: file.__setitem__("x", h5py.ExternalLink(path, "0"))),
    "HDF5: external data": follow_in_hdf5(external_data),
    "HDF5: virtual data": follow_in_hdf5(virtual_data),
}
"""The same by C code, which an audit hook of Python does not see."""
