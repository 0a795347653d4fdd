"""Sizes of D-FINE, built of KerasHub's parts with random weights."""

import importlib
import math
from dataclasses import dataclass

import keras

from tl_keras.models.layers_by_block import flatten_layers


@dataclass(frozen=True)
class DFineSize:
    """Describes a size of D-FINE, as in the configurations of its authors."""

    stem: tuple[int, ...]
    """Channels of the stem."""
    stages: tuple[tuple[int, ...], ...]
    """For each stage of the backbone: channels in, inside and out, blocks, layers per block, kernel size."""
    affine: bool
    """True scales and shifts activations by learned numbers."""
    strides: tuple[int, ...]
    """Pixels per cell of the maps that the transformer attends to."""
    neck: tuple[int, int]
    """Width of the neck and of its feed-forward layers."""
    expansion: float
    """Width inside the neck's blocks, as a share of the neck's width."""
    depth: float
    """Depth of the neck's blocks, as a share of three layers."""
    decoder: tuple[int, int]
    """Width of the decoder and of its feed-forward layers."""
    layers: int
    """Number of layers of the decoder."""
    points: tuple[int, ...]
    """Number of points per query in each map."""


B0 = ((3, 16, 16), ((16, 16, 64, 1, 3, 3), (64, 32, 256, 1, 3, 3), (256, 64, 512, 2, 3, 5), (512, 128, 1024, 1, 3, 5)))
B2 = ((3, 24, 32), ((32, 32, 96, 1, 4, 3), (96, 64, 384, 1, 4, 3), (384, 128, 768, 3, 4, 5), (768, 256, 1536, 1, 4, 5)))
B4 = (
    (3, 32, 48),
    ((48, 48, 128, 1, 6, 3), (128, 96, 512, 1, 6, 3), (512, 192, 1024, 3, 6, 5), (1024, 384, 2048, 1, 6, 5)),
)
B5 = (
    (3, 32, 64),
    ((64, 64, 128, 1, 6, 3), (128, 128, 512, 2, 6, 3), (512, 256, 1024, 5, 6, 5), (1024, 512, 2048, 2, 6, 5)),
)
"""Stem and stages of HGNetV2 B0, B2, B4 and B5."""
THREE, POINTS = (8, 16, 32), (3, 6, 3)
SIZES = {
    # As in the configurations at github.com/Peterande/D-FINE, with the parameter counts of KerasHub's presets.
    "d_fine_nano": DFineSize(*B0, True, (16, 32), (128, 512), 0.34, 0.5, (128, 512), 3, (6, 6)),
    "d_fine_small": DFineSize(*B0, True, THREE, (256, 1024), 0.5, 0.34, (256, 1024), 3, POINTS),
    "d_fine_medium": DFineSize(*B2, True, THREE, (256, 1024), 1.0, 0.67, (256, 1024), 4, POINTS),
    "d_fine_large": DFineSize(*B4, False, THREE, (256, 1024), 1.0, 1.0, (256, 1024), 6, POINTS),
    "d_fine_xlarge": DFineSize(*B5, False, THREE, (384, 2048), 1.0, 1.0, (256, 1024), 6, POINTS),
}
HEADS = 8
PRIOR = 0.01
"""Initial probability of every class; 1 / (num_classes + 1) in KerasHub."""


def make_hub_network(size, num_classes, image_size, num_queries):
    """Builds KerasHub's network of a size with random weights.

    Args:
        size: `DFineSize`.
        num_classes: number of classes, at least 1.
        image_size: height and width of the images in pixels, a multiple of 32.
        num_queries: number of boxes that the decoder refines, at most the number of cells of the maps.

    Returns:
        `keras_hub.models.DFineBackbone`. Its backbone computes in the global precision, the rest in float32.
    """
    keras_hub = importlib.import_module("keras_hub")
    names = [f"stage{stride.bit_length() - 2}" for stride in size.strides]
    backbone = keras_hub.models.HGNetV2Backbone(
        depths=[blocks for _, _, _, blocks, _, _ in size.stages],
        embedding_size=size.stem[-1],
        hidden_sizes=[channels for _, _, channels, _, _, _ in size.stages],
        stem_channels=list(size.stem),
        hidden_act="relu",
        use_learnable_affine_block=size.affine,
        stackwise_stage_filters=[list(stage) for stage in size.stages],
        apply_downsample=[False, True, True, True],
        use_lightweight_conv_block=[False, False, True, True],
        out_features=names,
        image_shape=(image_size, image_size, 3),
    )
    levels, (width, feed_forward), (decoder_width, decoder_feed_forward) = len(names), size.neck, size.decoder
    network = keras_hub.models.DFineBackbone(
        backbone=backbone,
        out_features=names,
        feat_strides=list(size.strides),
        num_feature_levels=levels,
        encoder_in_channels=[stage[2] for stage in size.stages[-levels:]],
        encode_proj_layers=[levels - 1],
        encoder_hidden_dim=width,
        encoder_ffn_dim=feed_forward,
        num_attention_heads=HEADS,
        num_encoder_layers=1,
        hidden_expansion=size.expansion,
        depth_multiplier=size.depth,
        decoder_in_channels=[width] * levels,
        hidden_dim=decoder_width,
        decoder_ffn_dim=decoder_feed_forward,
        decoder_attention_heads=HEADS,
        decoder_n_points=list(size.points),
        num_decoder_layers=size.layers,
        eval_idx=-1,
        lqe_hidden_dim=64,
        num_lqe_layers=2,
        num_labels=num_classes,
        num_queries=num_queries,
        learn_initial_query=False,
        num_denoising=0,
        anchor_image_size=(image_size, image_size),
        image_shape=(image_size, image_size, 3),
        dtype="float32",
    )
    _draw_weights(network)
    return network


def make_alike(hub_network, num_classes, image_size, num_queries):
    """Builds a network with the architecture of another one and random weights.

    Args:
        hub_network: `keras_hub.models.DFineBackbone`.
        num_classes: as for `make_hub_network`.
        image_size: as for `make_hub_network`.
        num_queries: as for `make_hub_network`.

    Returns:
        As `make_hub_network`.
    """
    config, shape = hub_network.get_config(), (image_size, image_size, 3)
    own = {key: value for key, value in config["backbone"]["config"].items() if key not in ("dtype", "name")}
    # Without a dtype, the backbone would get that of the rest.
    own |= {"dtype": keras.config.dtype_policy().name, "image_shape": shape}
    network = type(hub_network).from_config(
        {key: value for key, value in config.items() if key != "name"}
        | {
            "backbone": {**config["backbone"], "config": own},
            "num_labels": num_classes,
            "num_queries": num_queries,
            "num_denoising": 0,
            "anchor_image_size": shape[:2],
            "image_shape": shape,
            "dtype": "float32",
        }
    )
    _draw_weights(network)
    return network


def _draw_weights(network):
    """Initializes kernels by fan-in, and the last refinement of boxes with zeros, as in the authors' code.

    KerasHub uses one initializer with a standard deviation of 0.01 for all kernels: equal values in layers of equal
    shape, and too small to learn from.
    """
    layers = keras.layers
    kinds = layers.Conv2D | layers.Dense | layers.EinsumDense
    for layer in flatten_layers(network):
        if isinstance(layer, kinds) and isinstance(layer.kernel_initializer, keras.initializers.RandomNormal):
            inputs = layer.kernel.shape[:1] if isinstance(layer, layers.EinsumDense) else layer.kernel.shape[:-1]
            bound = math.sqrt(3 / math.prod(inputs))
            layer.kernel.assign(keras.random.uniform(layer.kernel.shape, -bound, bound))
    shift = network.decoder.pre_bbox_head.dense_layers[-1]
    shift.kernel.assign(keras.ops.zeros_like(shift.kernel))
    for layer in (network.enc_score_head, *network.decoder.class_embed):
        layer.bias.assign(keras.ops.full(layer.bias.shape, -math.log((1 - PRIOR) / PRIOR)))
