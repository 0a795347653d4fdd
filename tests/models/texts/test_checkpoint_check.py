import json

import pytest

from tests.models.tiny_encoders import write_checkpoint
from tl_keras.errors import InputError
from tl_keras.models.saved.preset_files import INDEX
from tl_keras.models.texts.hugging_face import (
    read_byte_pairs,
    read_checkpoint_config,
    read_word_pieces,
    trained_settings,
)


@pytest.fixture
def checkpoint(tmp_path):
    write_checkpoint(tmp_path)
    return tmp_path


def change(path, **values):
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | values))


def test_a_checkpoint_passes(checkpoint):
    assert read_checkpoint_config(checkpoint)["model_type"] == "bert"


CONFIGS = [
    {"model_type": ["bert"]},
    {"hidden_size": "many"},
    {"hidden_size": 10**9},
    {"hidden_size": 0},
    {"hidden_size": True},
    {"vocab_size": 10**7},
    {"num_hidden_layers": 10**6},
    {"num_attention_heads": 1.5},
    {"max_position_embeddings": None},
    {"hidden_act": ["gelu"]},
    {"layer_norm_eps": "x"},
    {"layer_norm_eps": float("nan")},
    {"position_embedding_type": {}},
]


@pytest.mark.parametrize("values", CONFIGS, ids=str)
def test_wrong_types_and_sizes_are_refused(checkpoint, values):
    change(checkpoint / "config.json", **values)
    with pytest.raises(InputError):
        trained_settings(checkpoint, read_checkpoint_config(checkpoint))


@pytest.mark.parametrize("name", ["../secret.safetensors", "/secret.safetensors", "a\\b", "..", "", 1])
def test_an_index_names_only_files_of_its_folder(checkpoint, name):
    change(checkpoint / INDEX, weight_map={"x": name})
    with pytest.raises(InputError, match="expected files of its own folder|no weight_map of names"):
        read_checkpoint_config(checkpoint)


TOKENIZERS = [
    {"normalizer": "x"},
    {"model": "x"},
    {"model": {"vocab": ["a"]}},
    {"model": {"vocab": {"a": "x"}}},
    {"model": {"type": "BPE", "vocab": {"a": 1}, "merges": 1}},
    {"model": {"type": "BPE", "vocab": {"a": 1}, "merges": [1]}},
    {"model": {"type": "BPE"}},
]


@pytest.mark.parametrize("values", TOKENIZERS, ids=str)
def test_a_damaged_tokenizer_is_refused(checkpoint, values):
    (checkpoint / "vocab.txt").unlink(missing_ok=True)
    (checkpoint / "tokenizer.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match="tokenizer.json|no vocabulary"):
        read_byte_pairs(checkpoint)
        read_word_pieces(checkpoint)


def test_a_vocabulary_that_is_not_utf_8_is_refused(checkpoint):
    (checkpoint / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_word_pieces(checkpoint)
