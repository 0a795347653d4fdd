"""Data sets of TensorFlow Datasets with a few examples, for tests."""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image


class _TinyBuilder(tfds.core.GeneratorBasedBuilder):
    """Adds to a builder its version and its information, from the features of a subclass."""

    VERSION = tfds.core.Version("1.0.0")
    FEATURES = {}

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(self.FEATURES))


class TinyImages(_TinyBuilder):
    FEATURES = {"photo": tfds.features.Image(), "kind": tfds.features.ClassLabel(names=["dark", "bright"])}

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(4), "test": self._generate_examples(3)}

    def _generate_examples(self, count):
        for row in range(count):
            # The last one's label is a secret, as in test sets of competitions.
            label = row % 2 if row < 3 else -1
            yield row, {"photo": encoded_image(200 * (row % 2)), "kind": label}


class TinyTexts(_TinyBuilder):
    FEATURES = {"sentence": tfds.features.Text(), "label": tfds.features.ClassLabel(names=["bad", "good"])}

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(), "unsupervised": self._generate_examples(-1)}

    def _generate_examples(self, label=None):
        for row, text in enumerate(["größer", "fine ", " "]):
            yield row, {"sentence": text, "label": row % 2 if label is None else label}


class TinyPairs(_TinyBuilder):
    FEATURES = {
        "question": tfds.features.Text(),
        "answer": tfds.features.Text(),
        "label": tfds.features.ClassLabel(names=["no", "yes"]),
    }

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"question": "why", "answer": "so", "label": 0}
        yield 1, {"question": "who", "answer": "he", "label": 1}


def encoded_image(value, height=6, width=6):
    """Returns a file of a PNG image of one grey value."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


def prepare(folder, *builders):
    """Prepares data sets in a folder and returns it."""
    for builder in builders:
        builder(data_dir=folder).download_and_prepare()
    return folder
