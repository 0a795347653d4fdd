import functools
import io
import socket

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tl_keras.data.images.decoding import read_image
from tl_keras.data.images.find import find_records
from tl_keras.data.reading import tfds_source
from tl_keras.data.texts.find import find_texts
from tl_keras.errors import InputError


def _png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((6, 6, 3), value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


class TinyPictures(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"picture": tfds.features.Image(), "kind": tfds.features.ClassLabel(names=["dark", "bright"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(4), "test": self._generate_examples(3)}

    def _generate_examples(self, count):
        for row in range(count):
            # The last one's label is a secret, as in test sets of competitions.
            label = row % 2 if row < 3 else -1
            yield row, {"picture": io.BytesIO(_png(200 * (row % 2))), "kind": label}


class TinyTexts(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"sentence": tfds.features.Text(), "label": tfds.features.ClassLabel(names=["bad", "good"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(), "unsupervised": self._generate_examples(-1)}

    def _generate_examples(self, label=None):
        for row, text in enumerate(["größer", "fine ", " "]):
            yield row, {"sentence": text, "label": row % 2 if label is None else label}


class TinyPairs(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        texts = {name: tfds.features.Text() for name in ("question", "answer")}
        features = texts | {"label": tfds.features.ClassLabel(names=["no", "yes"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"question": "why", "answer": "so", "label": 0}
        yield 1, {"question": "who", "answer": "he", "label": 1}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    for builder in (TinyPictures, TinyTexts, TinyPairs):
        builder(data_dir=folder).download_and_prepare()
    return folder


@pytest.mark.parametrize("part", ["tiny_images", "tiny_images/1.0.0"])
def test_prepared_folder(prepared, part):
    records = find_records(prepared / part)
    assert records.class_names == ("dark", "bright")
    assert sorted(records.splits) == ["test"] * 3 + ["train"] * 3
    for source, label in zip(records.sources, records.labels, strict=True):
        assert read_image(source, 4).max() == 200 * label
    assert all(name.startswith(f"{split}/") for name, split in zip(records.names, records.splits, strict=True))


def test_several_prepared_data_sets_are_named(prepared):
    with pytest.raises(InputError, match="holds 3 prepared data sets.*tiny_pairs.*tiny_images.*tiny_texts"):
        find_records(prepared)


def test_data_without_images(prepared):
    with pytest.raises(InputError, match="features label, sentence: expected an image"):
        find_records(prepared / "tiny_texts")


def test_texts_of_a_prepared_folder(prepared):
    records = find_texts(prepared / "tiny_texts")
    assert sorted(zip(records.sources, records.labels.tolist(), strict=True)) == [("fine", 1), ("größer", 0)]
    assert records.class_names == ("bad", "good") and records.splits == ["train", "train"]
    assert records.notes[0].startswith("Left out 1 of 3 texts")


def test_pairs_of_a_prepared_folder(prepared):
    records = find_texts(prepared / "tiny_pairs", text_column="question", second_text_column="answer")
    assert sorted(records.sources) == [("who", "he"), ("why", "so")]


def test_which_of_several_texts_must_be_said(prepared):
    with pytest.raises(InputError, match="expected a text, named 'text'; name it with --text.text_column answer or q"):
        find_texts(prepared / "tiny_pairs")
    with pytest.raises(InputError, match="expected a text, named 'text'; choose another data set"):
        find_texts(prepared / "tiny_images")


def test_unknown_name_names_the_nearest():
    with pytest.raises(InputError, match="did you mean tfds:tf_flowers"):
        find_records("tfds:tf_flower")


@pytest.fixture
def nothing_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_source.tfds, "builder", functools.partial(tfds.builder, data_dir=tmp_path))


def test_out_of_reach(nothing_prepared, monkeypatch, caplog):
    def refuse(address, timeout):
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(InputError, match="tfds:mnist is not prepared in .* cannot be reached"):
        find_records("tfds:mnist")
    assert not caplog.records


def test_failing_download(nothing_prepared, monkeypatch):
    def fail(builder):
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(tfds_source, "_reachable", lambda timeout_seconds: True)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(InputError, match="could not be prepared: reset by peer"):
        find_records("tfds:mnist")
