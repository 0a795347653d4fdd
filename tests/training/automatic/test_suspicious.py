from types import SimpleNamespace

import numpy as np

from tl_keras import probing
from tl_keras.config.parsing import parse
from tl_keras.data import ImageSet, Splits
from tl_keras.training.automatic.suspicious import describe_suspicious


def make_solved(labels, probabilities, rows):
    held_out = probing.HeldOut(None, 1.0, np.array(rows), np.array(probabilities), np.zeros(len(rows)))
    return SimpleNamespace(held_out=held_out, examples=SimpleNamespace(labels=np.array(labels)))


def make_splits(labels):
    train = ImageSet(np.zeros((3, 8, 8, 3), "uint8"), np.array(labels[:3]), ["a.png", "b.png", "c.png"], ("cat", "dog"))
    validation = ImageSet(np.zeros((2, 8, 8, 3), "uint8"), np.array(labels[3:]), ["d.png", "e.png"], ("cat", "dog"))
    return Splits(train, validation, validation.take([]), ("cat", "dog"))


def test_the_most_suspicious_label_is_named_with_the_command():
    labels = [0, 1, 0, 1, 1]
    solved = make_solved(labels, [[0.9, 0.1], [0.8, 0.2], [0.95, 0.05], [0.1, 0.9]], [0, 2, 3, 4])
    (sentence,) = describe_suspicious(parse(["my photos"]), make_splits(labels), solved)
    assert sentence.startswith("1 of 4 cross-validated labels is suspicious, 1 of them confidently; the first is")
    assert "d.png (dog, rather cat)" in sentence and "label check 'my photos'`" in sentence
    (sentence,) = describe_suspicious(parse(["photos"]), make_splits(labels), solved, "my runs/photos-1")
    assert "label check 'my runs/photos-1'`" in sentence
    config = parse(["photos", "--data.on_bad_file", "skip"])
    (sentence,) = describe_suspicious(config, make_splits(labels), solved)
    assert "label check photos --data.on_bad_file skip`" in sentence


def test_nothing_is_said_of_clean_or_unchecked_labels():
    labels = [0, 1, 0, 1, 1]
    clean = make_solved(labels, [[0.9, 0.1], [0.1, 0.9]], [0, 1])
    assert describe_suspicious(parse([]), make_splits(labels), clean) == []
    assert describe_suspicious(parse([]), make_splits(labels), SimpleNamespace(held_out=None)) == []
