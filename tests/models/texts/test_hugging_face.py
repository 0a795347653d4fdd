import json

import pytest

from tests.models.tiny_encoders import SPECIAL, WORDS, write_checkpoint
from tl_keras.errors import InputError
from tl_keras.models.texts.hugging_face import (
    read_byte_pairs,
    read_checkpoint_config,
    read_json,
    read_word_pieces,
    sentence_pooling,
    trained_settings,
)


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"do_lower_case": True}, (True, True)),
        ({"do_lower_case": False}, (False, False)),
        ({"do_lower_case": True, "strip_accents": False}, (True, False)),
        ({"unk_token": "[UNK]"}, (True, True)),
    ],
)
def test_accents_are_stripped_with_capitals_unless_configured_otherwise(tmp_path, settings, expected):
    write_checkpoint(tmp_path, settings=settings)
    pieces = read_word_pieces(tmp_path)
    assert (pieces["lowercase"], pieces["strip_accents"]) == expected
    assert pieces["vocabulary"] == SPECIAL + WORDS


@pytest.mark.parametrize(
    "settings, normalizer, expected",
    [
        ({"unk_token": "[UNK]"}, {"lowercase": False, "strip_accents": None}, (False, False)),
        ({"unk_token": "[UNK]"}, {"lowercase": True, "strip_accents": False}, (True, False)),
        ({"do_lower_case": True}, {"lowercase": False}, (True, True)),
        ({"do_lower_case": False}, None, (False, False)),
    ],
)
def test_the_treatment_of_capitals_is_read_from_tokenizer_json(tmp_path, settings, normalizer, expected):
    write_checkpoint(tmp_path, settings=settings)
    (tmp_path / "tokenizer.json").write_text(json.dumps({"normalizer": normalizer}))
    pieces = read_word_pieces(tmp_path)
    assert (pieces["lowercase"], pieces["strip_accents"]) == expected


@pytest.mark.parametrize("merges", [["a b", "ab c"], [["a", "b"], ["ab", "c"]]])
def test_byte_pairs_are_read_from_tokenizer_json_if_it_is_the_only_file(tmp_path, merges):
    assert read_byte_pairs(tmp_path) is None
    vocabulary = {"a": 0, "b": 1, "c": 2}
    model = {"type": "BPE", "vocab": vocabulary, "merges": merges}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}))
    assert read_byte_pairs(tmp_path) == {"vocabulary": vocabulary, "merges": ["a b", "ab c"]}
    (tmp_path / "vocab.json").write_text("{}")
    assert read_byte_pairs(tmp_path) is None


def test_the_vocabulary_is_read_from_tokenizer_json(tmp_path):
    write_checkpoint(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(InputError, match="no vocabulary.*vocab.txt"):
        read_word_pieces(tmp_path)
    vocabulary = {word: number for number, word in reversed(list(enumerate(SPECIAL + WORDS)))}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    assert read_word_pieces(tmp_path)["vocabulary"] == SPECIAL + WORDS


def test_other_tokenizers_are_left_to_kerashub(tmp_path):
    write_checkpoint(tmp_path, settings={"tokenizer_class": "XLMRobertaTokenizer"})
    assert read_word_pieces(tmp_path) is None


@pytest.mark.parametrize(
    "name, expected", [("gelu", "gelu"), ("gelu_new", "keras_hub>gelu_approximate"), ("relu", "relu")]
)
def test_activation_and_epsilon_are_read(tmp_path, name, expected):
    write_checkpoint(tmp_path, activation=name, epsilon=1e-5)
    assert trained_settings(tmp_path, read_checkpoint_config(tmp_path)) == {"activation": expected, "epsilon": 1e-5}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "gpt2"}, "has the model_type 'gpt2', expected one of: bert"),
        ({"position_embedding_type": "relative_key"}, "'relative_key' position embeddings"),
    ],
)
def test_other_networks_are_refused(tmp_path, changes, message):
    write_checkpoint(tmp_path)
    config = read_json(tmp_path / "config.json")
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(InputError, match=message):
        read_checkpoint_config(tmp_path)


def test_an_unknown_activation_is_refused(tmp_path):
    write_checkpoint(tmp_path, activation="mish")
    with pytest.raises(InputError, match="activation 'mish', expected one of: gelu"):
        trained_settings(tmp_path, read_checkpoint_config(tmp_path))


def test_a_folder_without_checkpoint_returns_none(tmp_path):
    assert read_checkpoint_config(tmp_path) is None
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="Cannot read .*config.json"):
        read_checkpoint_config(tmp_path)


def test_sentence_encoders_are_detected_by_their_pooling_file(tmp_path):
    assert sentence_pooling(tmp_path) is None
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    assert sentence_pooling(tmp_path) == "average"
