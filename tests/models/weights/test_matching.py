import keras
import pytest

from tl_keras.models.weights.matching import ModelLayer, layers_with_weights, match_layers


class Shaped:
    """Stands for a layer on either side, with the attributes that matching reads."""

    def __init__(self, name, kind="", shapes=((1,),)):
        self.name, self.kind, self.shapes = name, kind, shapes


def matched(layers, stored, **options):
    return {layer.name: other.name for layer, other in match_layers(layers, stored, **options)}


@pytest.mark.parametrize(
    "name, stored",
    [
        ("block5.conv1", "block5.conv1"),
        ("block5.conv1", "block5_conv1"),
        ("block2.a_expand_conv", "block2a_expand_conv"),
        ("stage2.block_1_expand", "block_1_expand"),
        ("stage0.block_0_gamma", "network_stage_0_block_0_gamma"),
        ("stem.conv", "network_stem/network_stem_conv"),
    ],
)
def test_a_layer_matches_its_former_names(name, stored):
    pairs = matched([Shaped(name, shapes=((2,),))], [Shaped("other"), Shaped(stored)], network_name="network")
    assert pairs == {name: stored}


def test_an_ambiguous_name_matches_nothing():
    layers = [Shaped("block1.conv", shapes=((1,),)), Shaped("block2.conv", shapes=((2,),))]
    assert matched(layers, [Shaped("conv", shapes=((2,),))]) == {}


def test_automatic_names_are_matched_in_order():
    layers = [Shaped("stem.conv2d", "conv2d"), Shaped("mixed0.conv2d", "conv2d"), Shaped("mixed0.conv2d_1", "conv2d")]
    stored = [Shaped("conv2d"), Shaped("conv2d_1"), Shaped("conv2d_2"), Shaped("predictions")]
    assert list(matched(layers, stored).values()) == ["conv2d", "conv2d_1", "conv2d_2"]


def test_order_applies_within_each_class_if_the_file_has_classes():
    layers = [Shaped("a.x", "conv2d"), Shaped("a.y", "dense"), Shaped("b.z", "conv2d")]
    stored = [Shaped("1", "conv2d"), Shaped("2", "conv2d"), Shaped("3", "dense")]
    assert matched(layers, stored) == {"a.x": "1", "b.z": "2", "a.y": "3"}


@pytest.mark.parametrize("shapes", [[((1,),)], [((1,),), ((3,),)]], ids=["too few", "another shape"])
def test_layers_are_matched_in_order_all_or_none(shapes):
    layers = [Shaped("a.x", shapes=((1,),)), Shaped("a.y", shapes=((2,),))]
    assert matched(layers, [Shaped(str(number), shapes=shape) for number, shape in enumerate(shapes)]) == {}


def test_parts_of_nested_layers_are_layers():
    image = keras.Input((4, 4))
    outputs = keras.layers.MultiHeadAttention(1, 1, name="body.attention")(image, image)
    inner = keras.Sequential([keras.Input((4, 4)), keras.layers.Dense(2, name="inner")], name="body.nested")
    layers = layers_with_weights(keras.Model(image, inner(outputs)))
    assert [layer.name for layer in layers][0] == "body.attention/query"
    assert [layer.name for layer in layers][-1] == "body.nested/inner"
    assert isinstance(layers[-1], ModelLayer) and layers[-1].shapes == ((4, 2), (2,))
