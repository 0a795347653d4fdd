"""Hostile files of a few kilobytes that claim far more than they store, for each reader: holes, and Parquet files."""

import io
import os

import numpy as np
import pyarrow
from PIL import Image
from pyarrow import parquet

from tl_keras.callbacks.checkpoint_files import read_checkpoints
from tl_keras.cli.prediction_parts import missing_parts
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.decoding import read_image
from tl_keras.data.texts.find import find_texts
from tl_keras.data.texts.text_items import find_text_items
from tl_keras.errors import InputError
from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.saved.saving import open_model
from tl_keras.models.texts.checkpoint_check import check_checkpoint
from tl_keras.models.texts.hugging_face import read_word_pieces
from tl_keras.models.weights.files import open_layers
from tl_keras.runs.run_folder import RunFolder

CHECKPOINT, PART = "00001-000000000", "shard-00001-of-00001-part-000000.parquet"


def holes(name, head, read):
    """Reads a file that states a terabyte and stores its first bytes only."""

    def run(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(head)
        os.truncate(path, 2**40)
        read(folder)

    return run


def of_file(name, read):
    return lambda folder: read(str(folder / name))


def encoded(image_format):
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, image_format)
    return stream.getvalue()


def yolo(folder):
    (folder / "images").mkdir()
    (folder / "images" / "a.png").write_bytes(encoded("PNG"))
    (folder / "data.yaml").write_text("names: [a, b]\ntrain: images\n")
    find_boxes(folder)


def is_ignored(value):
    """Counts what a reader skips as a refusal."""
    if value:
        raise AssertionError("it was read")
    raise InputError("it was ignored")


def checkpoint(folder):
    (folder / f"{CHECKPOINT}.sha256").write_text(f"{'0' * 64}  {CHECKPOINT}.npz\n")
    is_ignored(any(arrays for _, arrays in read_checkpoints(folder)))


def open_weights(path):
    with open_layers(path):
        pass


def repeated(name, read, rows, columns):
    """Reads a Parquet file of texts of 10 MB, each of which stands in it once for many rows."""

    def run(folder):
        text = pyarrow.DictionaryArray.from_arrays(np.zeros(rows, np.int32), ["x" * 10**7])
        parquet.write_table(pyarrow.table(dict.fromkeys(columns, text)), folder / name, compression="zstd")
        read(folder)

    return run


def described(text):
    """Reads a Parquet table with a description for pandas."""

    def run(folder):
        table = pyarrow.table({"text": ["a", "b"], "label": ["x", "y"]}).replace_schema_metadata({"pandas": text})
        parquet.write_table(table, folder / "table.parquet")
        find_texts(str(folder / "table.parquet"))

    return run


HOLES = {
    "table.csv": (b"text,label\na,b\n", of_file("table.csv", find_texts)),
    "table.jsonl": (b'{"text": "a"}\n', of_file("table.jsonl", find_texts)),
    "table.parquet": (b"PAR1", of_file("table.parquet", find_texts)),
    "boxes.json": (b'{"images": [],', of_file("boxes.json", find_boxes)),
    "boxes.csv": (b"path,xmin,ymin,xmax,ymax,label\n", of_file("boxes.csv", find_boxes)),
    "data.yaml": (b"names: [a, b]\ntrain: .\n", of_file("data.yaml", find_boxes)),
    "labels/a.txt": (b"0 .5 .5 .1 .1\n", yolo),
    "a.xml": (b"<annotation>", find_boxes),
    "texts/a/a.txt": (b"good", of_file("texts", find_texts)),
    "lines.txt": (b"a\n", lambda folder: find_text_items([str(folder / "lines.txt")])),
    "a.jpg": (encoded("JPEG"), lambda folder: read_image(folder / "a.jpg", 32)),
    "a.webp": (encoded("WEBP"), lambda folder: read_image(folder / "a.webp", 32)),
    "a.weights.h5": (b"\x89HDF\r\n\x1a\n", of_file("a.weights.h5", open_weights)),
    "a.keras": (b"PK\5\6" + bytes(18), of_file("a.keras", open_model)),
    "model.safetensors": (bytes(8), lambda folder: check_checkpoint(folder, {})),
    "vocab.txt": (b"[PAD]\n", read_word_pieces),
    "assets/tokenizer/vocabulary.txt": (b"a\n", check_preset),
    f"{CHECKPOINT}.npz": (b"PK", checkpoint),
    "log.jsonl": (b'{"event": "epoch"}\n', lambda folder: is_ignored(RunFolder(folder).read_log("epoch"))),
}
SIZES = {f"holes: {name}": holes(name, *parts) for name, parts in HOLES.items()}
SIZES |= {
    "repeated: a part of predictions": repeated(
        PART, lambda folder: missing_parts(["a"], folder, (1, 1), ()), 1, [f"c{number}" for number in range(40)]
    ),
    "repeated: a table": repeated("table.parquet", of_file("table.parquet", find_texts), 3_000, ["text", "label"]),
}
SIZES |= {
    f"described: {text[:40]}": described(text)
    for text in ("[]", "{}", "[" * 100_000, '{"index_columns": 1, "columns": 2}')
}
