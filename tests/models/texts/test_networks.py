import keras
import numpy as np
import pytest

from tests.models.tiny_encoders import FAMILIES, TEXTS, token_inputs
from tl_keras.models.texts.networks import named_text_network
from tl_keras.models.texts.tokenizers import TextTokenizer

BLOCKS = {family: ["embeddings", "layer1", "layer2"] for family in FAMILIES} | {"albert": ["embeddings", "encoder"]}


@pytest.fixture(scope="module", params=FAMILIES)
def opened(request):
    """The name of a family, its network, and tokens."""
    backbone, tokenizer = FAMILIES[request.param]()
    tokenizer = TextTokenizer(tokenizer, class_name=type(backbone).__name__, max_tokens=40)
    return request.param, backbone, token_inputs(tokenizer, TEXTS)


def copy(backbone, *, pooled=False, settings=(), copy_weights=True):
    return named_text_network(backbone, pooled=pooled, settings=dict(settings), copy_weights=copy_weights)


def test_the_copy_computes_the_same(opened):
    _, backbone, inputs = opened
    expected = backbone(inputs)
    if isinstance(expected, dict):
        pooled = copy(backbone, pooled=True)
        np.testing.assert_allclose(np.asarray(pooled(inputs)), np.asarray(expected["pooled_output"]), atol=1e-5)
        assert pooled.layers[-1].name == "pooler.dense"
        expected = expected["sequence_output"]
    np.testing.assert_allclose(np.asarray(copy(backbone)(inputs)), np.asarray(expected), atol=1e-5)


def test_every_layer_is_named_by_block(opened):
    family, backbone, _ = opened
    model = copy(backbone)
    names = [layer.name for layer in model.layers if layer.weights]
    assert list(dict.fromkeys(name.split(".")[0] for name in names)) == BLOCKS[family]
    assert all(name.count(".") == 1 for name in names)


def test_only_hidden_states_and_the_mask_pass_from_block_to_block(opened):
    family, backbone, inputs = opened
    model = copy(backbone)
    for block in BLOCKS[family][:-1]:
        layers = [layer for layer in model.layers if layer.name.startswith(f"{block}.")]
        cut = layers[-1].output if block != "embeddings" else model.get_layer("embeddings.dropout").output
        if family == "albert":
            cut = model.get_layer("embeddings.projection").output
        mask = model.input["padding_mask"]
        rest = keras.Model([cut, mask], model.output)  # Keras refuses where another input is missing.
        hidden = keras.Model(model.input, cut)(inputs)
        expected = np.asarray(model(inputs))
        outputs = rest([hidden, keras.ops.convert_to_tensor(inputs["padding_mask"])])
        np.testing.assert_allclose(np.asarray(outputs), expected, atol=1e-6)


def test_the_copy_can_be_saved_opened_and_saved_again(opened, tmp_path):
    _, backbone, inputs = opened
    model = copy(backbone)
    expected = np.asarray(model(inputs))
    for name in ("first.keras", "second.keras"):
        model.save(tmp_path / name)
        model = keras.models.load_model(tmp_path / name)
        np.testing.assert_allclose(np.asarray(model(inputs)), expected, atol=1e-6)


def test_the_copy_shares_nothing_and_may_draw_its_own_weights(opened):
    _, backbone, _ = opened
    model = copy(backbone, copy_weights=False)
    kernels = [w for layer in model.layers for w in layer.weights if w.path.endswith("kernel") and layer.name[0] != "h"]
    assert 0.01 < np.std(np.concatenate([np.ravel(kernel) for kernel in kernels])) < 0.03
    assert not {id(w) for w in model.weights} & {id(w) for w in backbone.weights}
    assert not np.allclose(model.weights[0], backbone.weights[0])


def test_settings_replace_those_of_the_network():
    backbone, _ = FAMILIES["bert"]()
    model = copy(backbone, settings={"activation": "relu", "epsilon": 0.25})
    assert model.get_layer("layer2.encoder").activation is keras.activations.relu
    assert model.get_layer("layer2.encoder").layer_norm_epsilon == 0.25
    assert model.get_layer("embeddings.layer_norm").epsilon == 0.25
