import keras
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved import inner_tensors
from tl_keras.models.saved.memory import measure_tensors
from tl_keras.models.saved.size_check import check_declared_sizes

IMAGE = keras.Input((8, 8, 3))
TOKENS = keras.Input((100, 4))


def largest(layer, *inputs):
    return measure_tensors(keras.Model(inputs[0], layer(*inputs))).largest


@pytest.mark.parametrize(
    ("layer", "heads"),
    [(keras.layers.MultiHeadAttention(3, 2), 3), (keras.layers.GroupQueryAttention(2, 6, 3), 6)],
    ids=["multi-head", "group query"],
)
def test_the_scores_of_attention_are_counted(layer, heads):
    assert largest(layer, TOKENS, TOKENS) == heads * 100 * 100


def test_the_scores_and_the_wide_layers_inside_of_a_block_are_counted():
    layers = pytest.importorskip("keras_hub").layers
    assert largest(layers.TransformerEncoder(intermediate_dim=4, num_heads=2), TOKENS) == 2 * 100 * 100
    assert largest(layers.TransformerEncoder(intermediate_dim=1000, num_heads=2), TOKENS) == 1000 * 100


def test_tensors_between_those_of_the_graph_are_counted():
    assert largest(keras.layers.SeparableConv2D(1, 1, depth_multiplier=50), IMAGE) == 8 * 8 * 3 * 50
    thin = keras.Input((1, 64, 3))
    assert largest(keras.layers.Resizing(1, 2), thin) == 64 * 3
    assert largest(keras.layers.Resizing(1, 2, pad_to_aspect_ratio=True), thin) == 32 * 64 * 3
    assert largest(keras.layers.Resizing(4, 1, pad_to_aspect_ratio=True), thin) == 256 * 64 * 3


def expanding_block(ratio):
    block = pytest.importorskip("keras_hub.src.models.efficientnet.mbconv").MBConvBlock
    image = keras.Input((224, 224, 3))
    return keras.Model(image, block(3, 3, expand_ratio=ratio)(image))


def test_equal_blocks_are_traced_once(monkeypatch):
    traced, trace = [], inner_tensors._trace
    monkeypatch.setattr(inner_tensors, "_trace", lambda *call: traced.append(call) or trace(*call))
    monkeypatch.setattr(inner_tensors, "_remembered", {})
    sizes = [measure_tensors(expanding_block(ratio)).largest for ratio in (2, 2, 4)]
    assert sizes == [224 * 224 * 3 * ratio for ratio in (2, 2, 4)] and len(traced) == 2


def test_a_block_that_needs_gigabytes_inside_is_refused():
    config = keras.saving.serialize_keras_object(expanding_block(6))
    check_declared_sizes(config, 10**9)
    config["config"]["layers"][1]["config"]["expand_ratio"] = 2_000
    with pytest.raises(InputError, match="computes a tensor of 301,056,000 numbers"):
        check_declared_sizes(config, 10**9)
