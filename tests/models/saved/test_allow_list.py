import importlib

import keras
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import CLASSES, MAX_DEPTH, check_classes
from tl_keras.system.budget import OverBudget

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


def blocks(**settings):
    return {"module": "keras_hub.src.models.vit.vit_layers", "class_name": "ViTEncoder", "config": settings}


@pytest.mark.parametrize(
    "config",
    [
        [dense()] * 20_001,
        blocks(num_layers=10**6),
        blocks(num_layers=1e300),
        blocks(stackwise_num_repeats=[[300], [300]]),
        blocks(arguments={"num_decoder_layers": 501}),
        [blocks(num_layers=1)] * 500,
    ],
    ids=lambda config: str(config)[:40],
)
def test_too_many_layers_are_refused(config):
    with pytest.raises(OverBudget, match="more than 100,000 objects"):
        check_classes(config)


def test_the_layers_of_the_largest_models_pass():
    check_classes([dense() for _ in range(5_500)] + [blocks(num_layers=40, hidden_dim=4096, dropout=float("nan"))] * 5)
    check_classes({"layers": [dense(config={"units": 10**6, "depth_multiplier": 10**5})]})


def test_too_deep_nesting_is_refused():
    config = []
    for _ in range(MAX_DEPTH + 1):
        config = [config]
    with pytest.raises(InputError, match="nested more than"):
        check_classes(config)
