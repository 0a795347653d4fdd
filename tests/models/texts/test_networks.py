import keras
import numpy as np
import pytest

from tests.models.backbone_harness import check_saving, run_backbone_test
from tests.models.tiny_encoders import BLOCKS, FAMILIES, random_inputs
from tl_keras.models.saved.saving import open_model
from tl_keras.models.texts.networks import named_text_network


@pytest.fixture(scope="module", params=FAMILIES)
def opened(request):
    """Returns the name of a family, its network and inputs."""
    backbone, _ = FAMILIES[request.param]()
    return request.param, backbone, random_inputs(backbone)


def copy(backbone, *, pooled=False, settings=(), copy_weights=True):
    return named_text_network(backbone, pooled=pooled, settings=dict(settings), copy_weights=copy_weights)


def test_backbone(opened):
    family, backbone, inputs = opened
    expected = backbone(inputs)
    if isinstance(expected, dict):
        pooled = copy(backbone, pooled=True)
        np.testing.assert_allclose(np.asarray(pooled(inputs)), np.asarray(expected["pooled_output"]), atol=1e-5)
        assert pooled.layers[-1].name == "pooler.dense"
        expected = expected["sequence_output"]
    model = copy(backbone)
    run_backbone_test(model, blocks=BLOCKS[family], found=model(inputs), expected=expected, atol=1e-5)


def test_only_hidden_states_and_the_mask_pass_from_block_to_block(opened):
    family, backbone, inputs = opened
    model = copy(backbone)
    for block in BLOCKS[family][:-1]:
        layers = [layer for layer in model.layers if layer.name.startswith(f"{block}.")]
        cut = layers[-1].output if block != "embeddings" else model.get_layer("embeddings.dropout").output
        if family == "albert":
            cut = model.get_layer("embeddings.projection").output
        mask = model.input["padding_mask"]
        rest = keras.Model([cut, mask], model.output)  # Keras refuses a graph with another open input.
        hidden = keras.Model(model.input, cut)(inputs)
        expected = np.asarray(model(inputs))
        outputs = rest([hidden, keras.ops.convert_to_tensor(inputs["padding_mask"])])
        np.testing.assert_allclose(np.asarray(outputs), expected, atol=1e-6)


def test_the_copy_can_be_saved_and_opened_repeatedly(opened, tmp_path):
    _, backbone, inputs = opened
    model = copy(backbone)
    check_saving(model, inputs=inputs, folder=tmp_path)
    check_saving(open_model(tmp_path / "model.keras"), inputs=inputs, folder=tmp_path)
    check_saving(model, inputs=inputs, folder=tmp_path, reader=keras.models.load_model)


def test_values_that_are_overwritten_are_not_drawn(monkeypatch):
    backbone, _ = FAMILIES["bert"]()
    expected = copy(backbone, copy_weights=False).get_config()["layers"]
    for kind in (keras.initializers.TruncatedNormal, keras.initializers.GlorotUniform):
        monkeypatch.setattr(kind, "__call__", lambda *_, **__: pytest.fail("random values were drawn"))
    assert copy(backbone).get_config()["layers"] == expected


def test_the_copy_shares_no_variables_and_can_be_initialized_randomly(opened):
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
