import pytest

from tests.data.tiny_tfds import TinyImages, TinyTexts, prepare
from tl_keras.data.images.decoding import read_image
from tl_keras.data.images.find import find_records
from tl_keras.errors import InputError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tfds"), TinyImages, TinyTexts)


@pytest.mark.parametrize("part", ["tiny_images", "tiny_images/1.0.0"])
def test_prepared_folder(prepared, part):
    records = find_records(prepared / part)
    assert records.class_names == ("dark", "bright")
    assert sorted(records.splits) == ["test"] * 3 + ["train"] * 3
    for source, label in zip(records.sources, records.labels, strict=True):
        assert read_image(source, 4).max() == 200 * label
    assert all(name.startswith(f"{split}/") for name, split in zip(records.names, records.splits, strict=True))


def test_data_without_images(prepared):
    with pytest.raises(InputError, match="features label, sentence: expected an image"):
        find_records(prepared / "tiny_texts")
