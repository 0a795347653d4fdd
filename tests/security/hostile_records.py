"""Hostile run folders, checkpoints, caches, labels, checkpoints of Hugging Face and prepared data sets."""

import io
import os
import pickle
import zipfile

import numpy as np
import pyarrow
from pyarrow import parquet

from tests.models.texts.test_checkpoint_check import CONFIGS, change
from tests.models.tiny_encoders import write_checkpoint
from tests.security.test_hostile_runs import RECORDS as METRICS
from tests.security.test_messages import written
from tests.studies.test_labelled_files import POOL, annotated
from tl_keras.callbacks.checkpoint_files import read_checkpoints
from tl_keras.cli.prediction_parts import missing_parts
from tl_keras.config import RunConfig
from tl_keras.data.images.find import find_records
from tl_keras.data.tokens.cache import read_tokens
from tl_keras.errors import InputError
from tl_keras.models.images.hub_folders import check_hub_folder
from tl_keras.models.saved.preset_files import INDEX, check_preset
from tl_keras.models.texts.hugging_face import read_checkpoint_config, trained_settings
from tl_keras.runs.run_folder import RunFolder
from tl_keras.runs.trained_run import load_run
from tl_keras.studies.labelled_files import read_labels
from tl_keras.system.checksums import MANIFEST, manifest_line
from tl_keras.system.links import refuse_links
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.decisions import read_decisions
from tl_keras.training.results import format_results
from tl_keras.training.variable_files import read_values
from tl_keras.transfer.activations.store import ActivationStore

NESTED = "[" * 100_000
KEY = "0" * 64


def record(name, content, read):
    """Reads a record of a run."""
    return lambda folder: read(RunFolder(written(folder / name, content).parent))


def show(run):
    return format_results(run, TASKS["image_classification"])


def same_data(run):
    return run.require_same_data({"training": 1, "sha256": "a"})


def finished(model):
    """Opens a finished run after a function has made its model."""

    def run(folder):
        written(folder / "config.yaml", "task: image_classification\n")
        (folder / MANIFEST).write_text(f"{KEY}  model.keras\n")
        model(folder / "model.keras")
        load_run(folder)

    return run


def linked(target):
    def run(folder):
        (folder / "evaluations").mkdir()
        target(folder / "evaluations" / "metrics.json")
        refuse_links(folder, in_place=("metrics.json",))

    return run


def ignored(name, content, read):
    """Reads a file that is skipped or removed if it is damaged; that counts as a refusal."""

    def run(folder):
        (folder / name).write_bytes(content)
        if read(folder / name):
            raise AssertionError("it was read")
        raise InputError("it was ignored")

    return run


def archive(header, data=b""):
    """Returns an archive of NumPy with a state of a header of any size."""
    stream, member = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("state.npy", member.getvalue() + data)
    return stream.getvalue()


def saved(save, **arrays):
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


OBJECTS = archive({"descr": "|O", "fortran_order": False, "shape": (1,)}, pickle.dumps([os.getcwd]))
TERABYTES = archive({"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
ARCHIVES = {
    "a pickle": OBJECTS,
    "terabytes": TERABYTES,
    "half of an archive": TERABYTES[:60],
    "a bomb": saved(np.savez_compressed, state=np.zeros(10**6)),
    "one array": saved(lambda stream, state: np.save(stream, state), state=np.zeros(3)),
}


def intact_checkpoint(path):
    """Reads a checkpoint whose manifest fits, as its author would make it."""
    path.with_suffix(".sha256").write_text(manifest_line(path, path.name))
    return any(arrays for _, arrays in read_checkpoints(path.parent))


def stored(path):
    return ActivationStore(path.parent, 10**9).open(KEY) is not None


def labels(content, classes=("cat", "dog")):
    return lambda folder: read_labels([str(written(folder / "export.json", content))], POOL, RunConfig(), classes)


def hugging_face(name, **values):
    def run(folder):
        write_checkpoint(folder)
        change(folder / name, **values)
        trained_settings(folder, read_checkpoint_config(folder))

    return run


def prepared(**files):
    def run(folder):
        for name, content in files.items():
            written(folder / "data" / "1.0.0" / f"{name}.json", content)
        find_records(str(folder / "data"))

    return run


def many_rows(folder):
    path = folder / "shard-00001-of-00001-part-000000.parquet"
    parquet.write_table(pyarrow.table({"file": pyarrow.array(np.zeros(10**7, np.int8))}), path)
    missing_parts(["a"], folder, (1, 1), ())


RUNS = {f"run: metrics {text!r}": record("metrics.json", text, show) for text in METRICS}
RUNS |= {
    "run: nested metrics": record("metrics.json", NESTED, show),
    "run: a long number": record("metrics.json", f'{{"accuracy": {"9" * 400_000}}}', show),
    "run: data of a list": record("data.json", "[]", same_data),
    "run: nested data": record("data.json", NESTED, same_data),
    "run: a digest that is a dict": record("data.json", '{"training": 1, "sha256": {"a": 1}}', same_data),
    "run: an image size of a billion": record(
        "decisions.json", '{"image_size": 1000000000, "lines": []}', read_decisions
    ),
    "run: decisions without lines": record("decisions.json", '{"image_size": 32, "lines": 1}', read_decisions),
    "run: a model of holes": finished(lambda path: (path.touch(), os.truncate(path, 2**40))),
    "run: a model elsewhere": finished(lambda path: path.symlink_to("/etc/passwd")),
    "run: a pipe as model": finished(os.mkfifo),
    "run: no model": finished(lambda path: None),
    "run: a link in its results": linked(lambda path: path.symlink_to("/etc/passwd")),
    "run: a pipe in its results": linked(os.mkfifo),
    "run: a link to itself": linked(lambda path: path.symlink_to(path)),
    "Parquet: more rows than items": many_rows,
    "Parquet: a page": lambda folder: missing_parts(
        ["a"], written(folder / "shard-00001-of-00001-part-000000.parquet", "<html></html>").parent, (1, 1), ()
    ),
}
CACHES = {f"checkpoint: {name}": ignored("00001-000000000.npz", ARCHIVES[name], intact_checkpoint) for name in ARCHIVES}
CACHES |= {
    f"values: {name}": ignored("x.npz", ARCHIVES[name], lambda path: read_values(path, [np.zeros(1)], []))
    for name in ARCHIVES
}
CACHES |= {f"tokens: {name}": ignored("x.npz", ARCHIVES[name], read_tokens) for name in ARCHIVES}
CACHES |= {
    f"activations: {name}": ignored(f"{KEY}.activations", content, stored)
    for name, content in {"empty": b"", "noise": b"\1" * 99, "a header without end": b'{"shape": [' * 999}.items()
}
LABELS = {
    "labels: nested": labels(NESTED),
    "labels: an unknown class": labels([annotated("x" * 100_000)]),
    "labels: several": labels([annotated("cat", "dog")]),
    "labels: an unknown example": labels([annotated("cat", path="/etc/passwd")]),
    "labels: no tasks": labels("{}"),
}
FOLDERS = {f"Hugging Face: {values}": hugging_face("config.json", **values) for values in CONFIGS}
FOLDERS |= {
    f"Hugging Face: weights in {name!r}": hugging_face(INDEX, weight_map={"x": name})
    for name in ("../secret.safetensors", "/etc/passwd", "a\\b", 1)
}
INFO = {"name": "data", "version": "1.0.0"}
SPLIT_ELSEWHERE = {"name": "train", "shardLengths": ["1"], "numBytes": "1", "filepathTemplate": "/etc/passwd"}
ELSEWHERE = INFO | {"fileFormat": "tfrecord", "splits": [SPLIT_ELSEWHERE]}
OF_CORE = "tensorflow_datasets.core.features"
FEATURES = {
    "pythonClassName": f"{OF_CORE}.features_dict.FeaturesDict",
    "featuresDict": {
        "features": {
            "image": {"pythonClassName": f"{OF_CORE}.image_feature.Image", "image": {"dtype": "uint8"}},
            "label": {
                "pythonClassName": f"{OF_CORE}.class_label_feature.ClassLabel",
                "classLabel": {"numClasses": "2"},
            },
        }
    },
}
FOLDERS["Hugging Face: images as a backbone"] = lambda folder: check_hub_folder(
    str(written(folder / "config.json", {"model_type": "vit"}).parent), False
)
FOLDERS["preset: weights elsewhere"] = lambda folder: check_preset(
    written(folder / INDEX, {"weight_map": {"x": "/etc/passwd"}}).parent
)
FOLDERS |= {
    "TFDS: a class of a stranger": prepared(dataset_info=INFO, features={"pythonClassName": "evil.Thing"}),
    "TFDS: no records": prepared(dataset_info=INFO, features={"type": "x"}),
    "TFDS: records elsewhere": prepared(dataset_info=ELSEWHERE, features=FEATURES),
    "TFDS: nested": prepared(dataset_info=NESTED, features=NESTED),
}
RECORDS = {**RUNS, **CACHES, **LABELS, **FOLDERS}
