import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests.data.tiny_tfds import encoded_image, prepare
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.decoding import read_upright
from tl_keras.errors import InputError


class TinyBoxes(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        things = {
            "bbox": tfds.features.BBoxFeature(),
            "label": tfds.features.ClassLabel(names=["cat", "dog", "owl"]),
            "is_crowd": np.bool_,
        }
        features = {"image": tfds.features.Image(), "objects": tfds.features.Sequence(things)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(), "validation": self._generate_examples()}

    def _generate_examples(self):
        box = tfds.features.BBox(ymin=0.2, xmin=0.1, ymax=0.6, xmax=0.5)
        things = [{"bbox": box, "label": 1, "is_crowd": crowd} for crowd in (False, True)]
        for row in range(2):
            yield row, {"image": encoded_image(99, height=30, width=40), "objects": things if row else []}


class NoBoxes(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(), "objects": tfds.features.Text()}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"image": np.zeros((4, 4, 3), np.uint8), "objects": "none"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tfds"), TinyBoxes, NoBoxes)


def test_prepared_folder(prepared):
    records = find_boxes(prepared / "tiny_boxes")
    assert records.splits == ["train", "train", "validation", "validation"] and records.class_names == ("dog",)
    counts = [len(boxes) for boxes in records.boxes]
    assert sorted(counts[:2]) == [0, 1] and sorted(counts[2:]) == [0, 1]
    full = counts.index(1)
    np.testing.assert_allclose(records.boxes[full], [[4, 6, 20, 18]], rtol=1e-5)
    assert records.labels[full].tolist() == [0] and read_upright(records.sources[full]).shape == (30, 40, 3)
    assert records.notes[0] == "Left out 2 boxes of crowds or marked as difficult."


def test_data_without_boxes(prepared):
    with pytest.raises(InputError, match="features image, objects: expected an image, and objects with bbox and label"):
        find_boxes(prepared / "no_boxes")
