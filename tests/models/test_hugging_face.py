import json

import pytest
from tiny_encoders import SPECIAL, WORDS, write_checkpoint

from tl_keras.errors import InputError
from tl_keras.models.hugging_face import (
    read_checkpoint_config,
    read_json,
    read_word_pieces,
    sentence_pooling,
    trained_settings,
    with_pooler,
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
def test_accents_go_where_capitals_go_unless_the_files_say_otherwise(tmp_path, settings, expected):
    write_checkpoint(tmp_path, settings=settings)
    pieces = read_word_pieces(tmp_path)
    assert (pieces["lowercase"], pieces["strip_accents"]) == expected
    assert pieces["vocabulary"] == SPECIAL + WORDS


def test_the_vocabulary_may_be_in_tokenizer_json(tmp_path):
    write_checkpoint(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(InputError, match="no vocabulary.*vocab.txt"):
        read_word_pieces(tmp_path)
    vocabulary = {word: number for number, word in reversed(list(enumerate(SPECIAL + WORDS)))}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    assert read_word_pieces(tmp_path)["vocabulary"] == SPECIAL + WORDS


def test_another_kind_of_tokenizer_is_left_to_keras_hub(tmp_path):
    write_checkpoint(tmp_path, settings={"tokenizer_class": "XLMRobertaTokenizer"})
    assert read_word_pieces(tmp_path) is None


@pytest.mark.parametrize(
    "name, expected", [("gelu", "gelu"), ("gelu_new", "keras_hub>gelu_approximate"), ("relu", "relu")]
)
def test_the_settings_of_the_training_are_read(tmp_path, name, expected):
    write_checkpoint(tmp_path, activation=name, epsilon=1e-5)
    assert trained_settings(tmp_path, read_checkpoint_config(tmp_path)) == {"activation": expected, "epsilon": 1e-5}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "gpt2"}, "of the kind 'gpt2', expected one of: bert"),
        ({"position_embedding_type": "relative_key"}, "relative_key position embeddings"),
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


def test_what_is_no_checkpoint_is_told(tmp_path):
    assert read_checkpoint_config(tmp_path) is None
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        read_checkpoint_config(tmp_path)


def test_sentence_encoders_are_known_by_their_pooling(tmp_path):
    assert sentence_pooling(tmp_path) is None
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    assert sentence_pooling(tmp_path) == "average"


def test_a_missing_pooler_is_made_of_zeros_beside_the_checkpoint(tmp_path):
    write_checkpoint(tmp_path / "with")
    with with_pooler(tmp_path / "with", read_checkpoint_config(tmp_path / "with")) as found:
        assert found == (tmp_path / "with", True)
    write_checkpoint(tmp_path / "without", pooler=False)
    before = sorted(path.name for path in (tmp_path / "without").iterdir())
    with with_pooler(tmp_path / "without", read_checkpoint_config(tmp_path / "without")) as (folder, has_pooler):
        assert not has_pooler
        index = read_json(folder / "model.safetensors.index.json")["weight_map"]
        assert index["pooler.dense.weight"] == "pooler.safetensors" != index["embeddings.LayerNorm.weight"]
    assert sorted(path.name for path in (tmp_path / "without").iterdir()) == before
    assert not folder.exists()
