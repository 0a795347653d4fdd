"""Names of a hundred thousand characters in the files of a stranger: a message quotes the start of them."""

import json
import zipfile

import h5py
import numpy as np
import pytest

from tests.data.tiny_images import save_image
from tl_keras.config.config_files import read_config
from tl_keras.config.config_keys import check_keys
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.find import find_records
from tl_keras.data.reading.tfds_safety import check_prepared
from tl_keras.data.texts.find import find_texts
from tl_keras.errors import InputError
from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.saved.saving import open_model
from tl_keras.models.texts.hugging_face import read_checkpoint_config, trained_settings
from tl_keras.models.weights.files import open_layers
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system.checksums import changed_files

LONG = "long" * 25_000
MAX_MESSAGE = 3_000


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def table(content):
    return lambda folder: find_texts(str(written(folder / "table.csv", content)))


def table_of_images(content):
    return lambda folder: find_records(str(written(folder / "table.csv", content)))


def boxes(name, content):
    return lambda folder: find_boxes(written(folder / name, content))


def layer(name, module="keras.layers"):
    return {"module": module, "class_name": name, "config": {}, "registered_name": None}


def model(config, names=("a",)):
    def run(folder):
        with zipfile.ZipFile(folder / "model.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("class_names.json", json.dumps(names))
            with archive.open("model.weights.h5", "w") as member, h5py.File(folder / "weights", "w") as weights:
                weights["x"] = np.zeros(3, "float32")
                weights.close()
                member.write((folder / "weights").read_bytes())
        return open_model(folder / "model.keras")

    return run


def weights(fill):
    def run(folder):
        with h5py.File(folder / "file.h5", "w") as file:
            fill(file)
        with open_layers(folder / "file.h5"):
            pass

    return run


def legacy_names(file):
    file.attrs["layer_names"] = [LONG[:60_000]]


def long_group(file):
    file[LONG[:60_000]] = h5py.SoftLink("/")


def checkpoint(**config):
    def run(folder):
        written(folder / "config.json", {"model_type": "bert"} | config)
        trained_settings(folder, read_checkpoint_config(folder))

    return run


def preset(config):
    return lambda folder: check_preset(written(folder / "config.json", config).parent)


def data_json(folder):
    written(folder / "data.json", {LONG: 1, "images": 2, "sha256": "a"})
    RunFolder(folder).require_same_data({"images": 3})


COCO = {
    "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": LONG}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": LONG, "bbox": [1, 2, 10, 10]}],
    "categories": [{"id": 1, "name": "ant"}, {"id": 2, "name": LONG}],
}
VOC = "<annotation><object><name>{0}</name><bndbox><xmin>{0}</xmin></bndbox></object></annotation>"
CASES = {
    "key of a configuration": lambda folder: check_keys(read_config(written(folder / "c.yaml", {LONG[:60_000]: 1}))),
    "configuration that is no YAML": lambda folder: read_config(written(folder / "c.yaml", f"*{LONG[:60_000]}")),
    "manifest": lambda folder: changed_files(written(folder / "SHA256SUMS", f"{'0' * 64}  {LONG}").parent),
    "data of a run": data_json,
    "header of a table": table(f"{LONG},{LONG}\na,b\n"),
    "labels of a table": table(f"text,label\na,{LONG}\nb,{LONG}\n"),
    "doubtful labels of a table": table(f"text,label\na,{LONG}\nb, {LONG}\nc,{LONG.upper()}\n"),
    "cells of a table": table(f"text,label\na,x,{LONG}\n{LONG},y,z\n"),
    "split of a table": table(f"text,label,split\na,x,{LONG}\nb,y,train\n"),
    "lines of JSON": lambda folder: find_texts(str(written(folder / "t.jsonl", {"text": {LONG: 1}}))),
    "paths of a table": table_of_images(f"path,label\n{LONG},x\n{LONG}.png,y\n"),
    "names of a COCO file": boxes("boxes.json", COCO),
    "keys of a COCO file": boxes("boxes.json", {LONG: 1}),
    "ids of a COCO file": boxes("boxes.json", COCO | {"images": [{"id": LONG, "file_name": [LONG]}]}),
    "names of a YOLO file": boxes("data.yaml", f"names: [{LONG}, {LONG}]\ntrain: images\n"),
    "folder of a YOLO file": boxes("data.yaml", f"names: [a, b]\ntrain: {LONG}\n"),
    "key of a YOLO file": boxes("data.yaml", f"{LONG}: 1\n"),
    "table of boxes": boxes("boxes.csv", f"path,xmin,ymin,xmax,ymax,label\na.png,{LONG},1,9,9,x\n{LONG},2,2,8,8,y\n"),
    "VOC": lambda folder: find_boxes(written(folder / "a.xml", VOC.format(LONG)).parent),
    "prepared data": lambda folder: check_prepared(written(folder / "features.json", {"type": LONG}).parent),
    "class of a layer": model(layer(LONG)),
    "module of a layer": model(layer("Dense", LONG)),
    "name of a function": model({"class_name": "function", "module": "builtins", "config": LONG}),
    "setting of a layer": model(layer("Dense") | {"config": {"units": int("9" * 4_000)}}),
    "name in a setting": model(layer("Dense") | {"config": {"units": 1, "activation": LONG}}),
    "setting without meaning": model(layer("Dense") | {"config": {LONG: LONG}}),
    "layers of a weight file": weights(legacy_names),
    "link in a weight file": weights(long_group),
    "class of a preset": preset(layer(LONG)),
    "type of a checkpoint": checkpoint(model_type=LONG),
    "activation of a checkpoint": checkpoint(hidden_act=LONG),
    "positions of a checkpoint": checkpoint(position_embedding_type=LONG),
}


@pytest.mark.parametrize("name", CASES)
def test_a_message_quotes_only_the_start_of_a_long_name(name, tmp_path):
    save_image(tmp_path / "a.png")
    with pytest.raises(InputError) as error:
        CASES[name](tmp_path)
    assert len(str(error.value)) < MAX_MESSAGE and "\n" not in str(error.value)
