import json

import kagglehub
import numpy as np
import pytest
import tensorflow as tf

from tests.models.tiny_encoders import FAMILIES, SIZES, TEXTS, save_preset, write_checkpoint
from tl_keras.models.texts.tokenizers import build_tokenizer, copied_tokenizer

SPECIAL_IDS = {
    # start, separator, end, padding, segments
    "bert": ((2,), (3,), (3,), 0, True),
    "distil_bert": ((2,), (3,), (3,), 0, False),
    "roberta": ((0,), (2, 2), (2,), 1, False),
    "albert": ((2,), (3,), (3,), 0, True),
    "deberta_v3": ((2,), (3,), (3,), 0, False),
}


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_the_tokenizer_of_every_family(tmp_path, family):
    _, layer = save_preset(tmp_path, family)
    tokenizer = build_tokenizer(tmp_path)
    assert tokenizer.max_tokens == 40
    special = (tokenizer.start_ids, tokenizer.separator_ids, tokenizer.end_ids, tokenizer.pad_id)
    assert (*special, tokenizer.has_segments) == SPECIAL_IDS[family]
    assert tokenizer.unknown_id == (None if family == "roberta" else 1)
    assert family == "roberta" or 1 in tokenizer.encode(["\u2603"])[0]
    rows = tokenizer.encode(TEXTS[:2])
    assert [row.tolist() for row in rows] == [list(map(int, ids)) for ids in layer(TEXTS[:2])]
    assert rows[0].dtype == np.int32


@pytest.mark.usefixtures("eager")
def test_functions_that_run_eagerly_change_no_ids(tmp_path):
    _, layer = save_preset(tmp_path, "roberta")
    tokenizer = build_tokenizer(tmp_path)
    rows = tokenizer.encode(TEXTS[:2])
    assert [row.tolist() for row in rows] == [list(map(int, ids)) for ids in layer(TEXTS[:2])]
    assert tokenizer.padding_ids == [0, 1]
    assert tf.config.functions_run_eagerly()


def test_a_preset_of_the_hub_has_the_positions_of_its_configuration(tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, "max_sequence_length", 64)
    save_preset(tmp_path, "bert")
    # The folder replaces the hub; nothing else of KerasHub changes.
    monkeypatch.setattr(kagglehub, "model_download", lambda _handle, path: str(tmp_path / path))
    assert build_tokenizer("bert_tiny_en_uncased").max_tokens == 64


@pytest.mark.parametrize("family", FAMILIES)
def test_a_preset_that_states_a_length_of_rows_is_read_without_it(tmp_path, family):
    save_preset(tmp_path, family)
    expected = build_tokenizer(tmp_path).encode(TEXTS)
    settings = json.loads((tmp_path / "tokenizer.json").read_text())
    settings["config"]["sequence_length"] = 10**9
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings))
    assert [row.tolist() for row in build_tokenizer(tmp_path).encode(TEXTS)] == [row.tolist() for row in expected]


def test_accents_and_capitals_are_ignored(bert_folder):
    rows = build_tokenizer(bert_folder).encode(["the cafe", "The CAFÉ", "thé cafe\u0301"])
    assert {tuple(row) for row in rows} == {(9, 14)}


def test_a_preset_that_lowers_capitals_strips_accents(tmp_path):
    _, layer = save_preset(tmp_path, "bert")
    assert not layer.strip_accents
    assert build_tokenizer(tmp_path).layer.strip_accents


def test_an_albert_and_its_copy_ignore_capitals_and_accents(tmp_path):
    save_preset(tmp_path, "albert")
    tokenizer = build_tokenizer(tmp_path)
    plain, other = tokenizer.encode(["the cafe, a good film", "The Café, a GOOD film"])
    assert plain.tolist() == other.tolist()
    assert tokenizer.layer.token_to_id("<unk>") not in other
    copy = copied_tokenizer(tokenizer.layer, name="copy", sequence_length=len(other))
    assert np.asarray(copy(["The Café, a GOOD film"]))[0].tolist() == other.tolist()


def test_many_texts_are_encoded_in_order(bert_folder):
    texts = ["good", "bad bad", ""] * 1000
    rows = build_tokenizer(bert_folder).encode(texts)
    assert [len(row) for row in rows] == [1, 2, 0] * 1000
    assert build_tokenizer(bert_folder).encode([]) == []


def test_the_fingerprint_depends_on_vocabulary_and_settings(bert_folder, tmp_path):
    first = build_tokenizer(bert_folder)
    write_checkpoint(tmp_path, settings={"do_lower_case": False})
    assert first.fingerprint == build_tokenizer(bert_folder).fingerprint
    assert first.fingerprint != build_tokenizer(tmp_path).fingerprint
    vocabulary = (tmp_path / "vocab.txt").read_text()
    write_checkpoint(tmp_path)
    (tmp_path / "vocab.txt").write_text(vocabulary.replace("film", "movie"))
    assert first.fingerprint != build_tokenizer(tmp_path).fingerprint


def test_the_words_are_not_tracked_and_the_padding_leaves_the_rows_as_they_are(bert_folder):
    tokenizer = build_tokenizer(bert_folder)
    words = [tokenizer.layer.vocabulary, copied_tokenizer(tokenizer.layer, name="copy", sequence_length=9).vocabulary]
    assert [type(one) for one in words] == [list, list] and words[0] == words[1]
    assert len(tokenizer.padding_ids) == 1 and tokenizer.layer.sequence_length is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_copy_returns_rows_of_one_length(family):
    _, layer = FAMILIES[family]()
    copy = copied_tokenizer(layer, name="copy", sequence_length=6)
    assert copy.name == "copy"
    ids = layer(TEXTS[:1])[0]
    assert np.asarray(copy(TEXTS[:1]))[0, : len(ids)].tolist() == list(map(int, ids))[:6]
