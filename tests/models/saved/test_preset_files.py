import json
import re
from pathlib import Path

import h5py
import keras_hub
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.classifiers import build_image_classifier
from tl_keras.models.saved.preset_files import check_preset
from tl_keras.models.texts.tokenizers import build_tokenizer

ENTRY = {"module": "keras_hub.src.models.vgg.vgg_backbone", "class_name": "VGGBackbone", "config": {}}
TOKENIZER = {"module": "keras_hub.src.models.bert.bert_tokenizer", "class_name": "BertTokenizer"}


@pytest.fixture
def saved(tmp_path):
    backbone = keras_hub.models.VGGBackbone(stackwise_num_repeats=[1, 2], stackwise_num_filters=[4, 4])
    backbone.save_to_preset(tmp_path)
    return tmp_path


def test_presets_of_kerashub_and_names_pass(saved):
    check_preset(saved)
    check_preset(str(saved / "absent"))
    check_preset("bert_base_en")


def test_words_of_a_vocabulary_are_not_checked(saved):
    (saved / "vocabulary.json").write_text(json.dumps({"class_name": "Lambda"}))
    check_preset(saved)


HOSTILE = {
    "a Lambda": ENTRY | {"config": {"x": {"module": "keras.layers", "class_name": "Lambda", "config": {}}}},
    "a constructor": {"module": "keras.layers", "class_name": "function", "config": "TFSMLayer"},
    "another module": {"module": "evil", "class_name": "VGGBackbone", "config": {}},
    "another registered name": ENTRY | {"registered_name": "keras>Lambda"},
    "a module of no model": ENTRY | {"module": "keras_hub.src.utils.preset_utils"},
    "a tokenizer that opens a file under another name": {
        "module": "keras_hub.src.models.whisper.whisper_tokenizer",
        "class_name": "WhisperTokenizer",
        "config": {"special_tokens": "/etc/passwd"},
    },
    "a tokenizer of no model": {
        "module": "keras_hub.src.tokenizers.byte_pair_tokenizer",
        "class_name": "BytePairTokenizer",
        "config": {},
    },
    "a file of this computer": TOKENIZER | {"config": {"vocabulary": "/etc/passwd"}},
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("place", ["config.json", "image_converter.json", "tokenizer.json", "deep/preprocessor.json"])
def test_other_classes_are_refused_before_kerashub_opens_them(saved, name, place):
    (saved / place).parent.mkdir(exist_ok=True)
    (saved / place).write_text(json.dumps(HOSTILE[name]))
    with pytest.raises(InputError, match="does not write|would read a file"):
        check_preset(saved)
    with pytest.raises(InputError, match="does not write|would read a file"):
        build_image_classifier(f"keras_hub:{saved}", 3)


def test_weights_that_keras_would_not_write_are_refused(saved):
    with h5py.File(next(saved.glob("*.h5")), "a") as file:
        file.create_dataset("chunked", data=[1.0], chunks=(1,))
    with pytest.raises(InputError, match="is stored in chunks"):
        check_preset(saved)


def test_a_malicious_tokenizer_is_refused(tmp_path):
    backbone = {"module": "keras_hub.src.models.bert.bert_backbone", "class_name": "BertBackbone", "config": {}}
    (tmp_path / "config.json").write_text(json.dumps(backbone))
    (tmp_path / "tokenizer.json").write_text(json.dumps(HOSTILE["a file of this computer"]))
    with pytest.raises(InputError, match="would read a file of this computer as its vocabulary"):
        build_tokenizer(str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_damaged_preset_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match="Cannot read .*: copy or download the preset again"):
        check_preset(tmp_path)


def test_no_other_class_of_kerashub_opens_files():
    root = Path(keras_hub.__file__).parent / "src"
    modules = [path for part in ("layers", "models") for path in (root / part).rglob("*.py")]
    opens = re.compile(r"(?<!\w)open\(|File\(|load_json|read_text|np\.load\(")
    found = {path.stem for path in modules if "test" not in path.stem and opens.search(path.read_text("utf-8"))}
    assert all(name.endswith("_tokenizer") for name in found), found


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("stackwise_num_repeats", "x"),
        ("stackwise_num_repeats", [10**6, 1]),
        ("stackwise_num_filters", [10**9, 4]),
        ("stackwise_num_filters", [16_000, 16_000]),
        ("stackwise_num_filters", None),
        ("image_shape", [10**9, 10**9, 3]),
        ("dtype", {"x": 1}),
        ("name", 1),
    ],
)
def test_settings_of_a_wrong_type_or_size_are_refused_in_a_sentence(saved, setting, value):
    config = json.loads((saved / "config.json").read_text())
    config["config"][setting] = value
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError) as error:
        build_image_classifier(f"keras_hub:{saved}", 3)
    assert len(str(error.value)) < 1_000


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.safetensors", "a\\\\b", "..", 1])
def test_an_index_that_names_weights_elsewhere_is_refused(tmp_path, name):
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": name}}))
    with pytest.raises(InputError, match="expected files of its own folder|no weight_map of names"):
        check_preset(tmp_path)
