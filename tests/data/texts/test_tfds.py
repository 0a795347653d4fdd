import pytest

from tests.data.tiny_tfds import TinyImages, TinyPairs, TinyTexts, prepare
from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.data.texts.find import find_texts
from tl_keras.errors import InputError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tfds"), TinyImages, TinyTexts, TinyPairs)


def test_prepared_folder(prepared):
    records = find_texts(prepared / "tiny_texts")
    assert sorted(zip(records.sources, records.labels.tolist(), strict=True)) == [("fine", 1), ("größer", 0)]
    assert records.class_names == ("bad", "good") and records.splits == ["train", "train"]
    assert records.notes[0].startswith("Left out 1 of 3 texts")


def test_pairs_of_a_prepared_folder(prepared):
    records = find_texts(prepared / "tiny_pairs", TableColumns(text="question", second_text="answer"))
    assert sorted(records.sources) == [("who", "he"), ("why", "so")]


def test_several_text_features_need_a_column(prepared):
    with pytest.raises(InputError, match="expected a text, named 'text'; name it with --text.text_column answer or q"):
        find_texts(prepared / "tiny_pairs")
    with pytest.raises(InputError, match="expected a text, named 'text'; choose another data set"):
        find_texts(prepared / "tiny_images")
