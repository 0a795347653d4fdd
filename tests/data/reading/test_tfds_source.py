import functools
import shutil
import socket

import pytest
import tensorflow_datasets as tfds

from tests.data.tiny_tfds import TinyImages, TinyPairs, TinyTexts, prepare
from tl_keras.data.images.find import find_records
from tl_keras.data.reading import tfds_source
from tl_keras.data.reading.locations import Location
from tl_keras.data.reading.tfds_source import feature_key, open_builder, read_examples, read_records
from tl_keras.errors import InputError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tfds"), TinyImages, TinyTexts, TinyPairs)


def test_examples_have_names_and_splits(prepared):
    builder, name = open_builder(Location("prepared", prepared / "tiny_texts"))
    assert name == str(prepared / "tiny_texts")
    examples = list(read_examples(builder))
    assert {(place.split("/")[0], split) for place, split, _ in examples} == {("train", "train"), ("unsupervised", "")}
    assert [place for place, *_ in examples][:3] == ["train/0", "train/1", "train/2"]


def test_examples_without_a_label_are_left_out(prepared):
    builder, _ = open_builder(Location("prepared", prepared / "tiny_texts"))
    records = read_records(builder, "label", ["sentence"])
    assert len(records) == 3 and records.splits == ["train"] * 3 and records.class_names == ("bad", "good")


def test_pairs_are_tuples(prepared):
    builder, _ = open_builder(Location("prepared", prepared / "tiny_pairs"))
    assert sorted(read_records(builder, "label", ["question", "answer"]).sources) == [(b"who", b"he"), (b"why", b"so")]


def test_feature_keys(prepared):
    builder, name = open_builder(Location("prepared", prepared / "tiny_pairs"))
    text = tfds.features.Text
    assert feature_key(builder, name, text, "question", "a text", "text.text_column") == "question"
    # Without a flag to choose by, the first one.
    assert feature_key(builder, name, text, "text", "a text") == "answer"
    with pytest.raises(InputError, match="expected a text, named 'text'; name it with --text.text_column answer or q"):
        feature_key(builder, name, text, "text", "a text", "text.text_column")
    with pytest.raises(InputError, match="features answer, label, question: expected an image, named 'image'; choose"):
        feature_key(builder, name, tfds.features.Image, "image", "an image")


def test_several_prepared_data_sets_are_named(prepared):
    with pytest.raises(InputError, match="holds 3 prepared data sets.*tiny_images.*tiny_pairs.*tiny_texts"):
        open_builder(Location("prepared", prepared))


def test_unknown_name_names_the_nearest():
    with pytest.raises(InputError, match="did you mean tfds:tf_flowers"):
        find_records("tfds:tf_flower")


@pytest.fixture
def nothing_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_source.tfds, "builder", functools.partial(tfds.builder, data_dir=tmp_path))


def test_unreachable_download_host(nothing_prepared, monkeypatch, caplog):
    def refuse(address, timeout):
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(InputError, match="tfds:mnist is not prepared in .* cannot be reached"):
        find_records("tfds:mnist")
    assert not caplog.records


def test_failing_download(nothing_prepared, monkeypatch):
    def fail(builder):
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(socket, "create_connection", lambda address, timeout: socket.socket())
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(InputError, match="could not be prepared: reset by peer"):
        find_records("tfds:mnist")


DAMAGES = {
    "no JSON": ("dataset_info.json", b"{"),
    "another JSON": ("dataset_info.json", b'{"name": 1}'),
    "no version": ("dataset_info.json", b"{}"),
    "no class of a feature": ("features.json", b"{}"),
    "an unknown key of a feature": ("features.json", b'{"name": 1}'),
    "no records": ("*-train.tfrecord-*", b""),
    "noise in place of records": ("*-train.tfrecord-*", b"\x05noise" * 50),
    "missing records": ("*-train.tfrecord-*", None),
    "one name for two classes": ("label.labels.txt", b"good"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_an_incomplete_or_damaged_data_set_is_refused_in_a_sentence(prepared, tmp_path, name):
    pattern, content = DAMAGES[name]
    folder = shutil.copytree(prepared / "tiny_pairs", tmp_path / "tiny_pairs")
    [path] = folder.rglob(pattern)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match="is incomplete or damaged|Cannot read") as error:
        read_records(open_builder(Location("prepared", folder))[0], "label", ["question"])
    assert len(str(error.value)) < 1_000 and "\n" not in str(error.value)
