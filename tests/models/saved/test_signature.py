import keras
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved.signature import DETECTIONS, IMAGES, TEXTS, check_signature

THREE = ((3,), "number")


def model(inputs, outputs):
    """Returns a stand-in for a model, which is only asked for its tensors."""
    return type("Model", (), {"input": inputs, "output": outputs})


def tensor(*shape, dtype="float32"):
    return keras.KerasTensor(shape, dtype)


IMAGE, PROBABILITIES = tensor(None, 32, 32, 3), tensor(None, 3)
DETECTED = {"boxes": tensor(None, None, 4), "scores": tensor(None, 9), "labels": tensor(None, 9, dtype="int32")}


def test_the_tensors_of_each_task_pass():
    check_signature(model(IMAGE, PROBABILITIES), IMAGES, THREE)
    check_signature(model(IMAGE, DETECTED), IMAGES, DETECTIONS)
    text = tensor(None, dtype="string")
    check_signature(model(text, PROBABILITIES), TEXTS, THREE)
    pair = {"text": text, "text_pair": text}
    check_signature(model(pair, PROBABILITIES), {"text": TEXTS, "text_pair": TEXTS}, THREE)


INPUTS = {
    "not square": tensor(None, 32, 48, 3),
    "of no size": tensor(None, None, None, 3),
    "of no pixel": tensor(None, 0, 0, 3),
    "of one channel": tensor(None, 32, 32, 1),
    "with channels first": tensor(None, 3, 32, 32),
    "a vector": tensor(None, 32),
    "of a fixed batch": tensor(1, 32, 32, 3),
    "texts": tensor(None, dtype="string"),
    "two": [IMAGE, IMAGE],
    "by name": {"image": IMAGE},
}
OUTPUTS = {
    "of another number of classes": tensor(None, 2),
    "a scalar": tensor(None),
    "without the batch": tensor(3),
    "of one example": tensor(1, 3),
    "an image": tensor(None, 32, 32, 3),
    "of bool": tensor(None, 3, dtype="bool"),
    "complex": tensor(None, 3, dtype="complex64"),
    "two": [PROBABILITIES, PROBABILITIES],
    "by name": {"a": PROBABILITIES, "b": PROBABILITIES},
}


@pytest.mark.parametrize("name", INPUTS)
def test_other_inputs_are_refused(name):
    with pytest.raises(InputError, match=r"takes .*, expected numbers of shape \(examples, side, side, 3\)"):
        check_signature(model(INPUTS[name], PROBABILITIES), IMAGES, THREE)


@pytest.mark.parametrize("name", OUTPUTS)
def test_other_outputs_are_refused(name):
    with pytest.raises(InputError, match=r"returns .*, expected numbers of shape \(examples, 3\)"):
        check_signature(model(IMAGE, OUTPUTS[name]), IMAGES, THREE)


@pytest.mark.parametrize("key", [*DETECTED, "more"])
def test_other_detections_are_refused(key):
    with pytest.raises(InputError, match="expected boxes numbers of shape"):
        check_signature(model(IMAGE, DETECTED | {key: IMAGE}), IMAGES, DETECTIONS)
