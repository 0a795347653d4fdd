import importlib

import keras
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import CLASSES, MAX_DEPTH, check_classes

DANGEROUS = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "StringLookup", "IntegerLookup"}
KINDS = (keras.Operation, keras.initializers.Initializer, keras.regularizers.Regularizer, keras.DTypePolicy)


@pytest.mark.parametrize("module", CLASSES)
def test_every_name_of_the_allow_list_exists(module):
    namespace = importlib.import_module(module)
    for name in CLASSES[module].split():
        known = getattr(namespace, name)
        assert isinstance(known, type) and issubclass(known, KINDS)
        assert name not in DANGEROUS | {"TextVectorization"}


def dense(**changes):
    return {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": None} | changes


def test_an_allowed_layer_passes_everywhere():
    check_classes([{"layers": [dense(config={"kernel_initializer": None, "inner": dense()})]}])


@pytest.mark.parametrize("name", ["Dense", "keras>Dense"])
def test_a_registered_name_must_be_that_of_the_class(name):
    check_classes(dense(registered_name=name))
    with pytest.raises(InputError, match="'Dense' of 'keras.layers'"):
        check_classes(dense(registered_name=f"{name}2"))


@pytest.mark.parametrize("changes", [{"module": "keras"}, {"module": None}, {"class_name": "Lambda"}])
def test_another_module_or_class_is_refused(changes):
    with pytest.raises(InputError, match="keras.models.load_model, if you trust"):
        check_classes({"x": [dense(**changes)]})


def test_a_file_in_a_setting_is_refused():
    with pytest.raises(InputError, match="as its vocabulary"):
        check_classes(dense(config={"vocabulary": "/etc/passwd"}))
    check_classes(dense(config={"vocabulary": None}))


def test_too_deep_nesting_is_refused():
    config = []
    for _ in range(MAX_DEPTH + 1):
        config = [config]
    with pytest.raises(InputError, match="nested more than"):
        check_classes(config)
