"""KerasHub's network of D-FINE as one flat model of named blocks."""

import keras
from keras import ops

from tl_keras.models.blocks import blocks_of
from tl_keras.models.detection.d_fine_layers import InnerCells, QueryRefinement, QuerySelection
from tl_keras.models.detection.features import bundle_maps
from tl_keras.models.images.building import add_preprocessing


def flatten(hub_network, preprocessing, image_size, *, name):
    """Copies KerasHub's network and its weights so that each layer is named `BLOCK.LAYER`.

    Args:
        hub_network: `keras_hub.models.DFineBackbone`.
        preprocessing: `Preprocessing` of its weights.
        image_size: height and width of the images in pixels, as in the network unless its size is undefined.
        name: name of the new model.

    Returns:
        Flat functional `keras.Model` from raw pixels to a dictionary: `class_logits` (batch, 2 + layers, n,
        num_classes) and `boxes` (batch, 2 + layers, n, 4), relative center_xywh, from the encoder, before the first
        refinement and after each layer; `distributions` and `starts`, see `QueryRefinement`. Its blocks are `stem`,
        `stage1` to the last stage, `neck` and `head`.
    """
    image, ends, memory = _up_to_memory(hub_network, image_size)
    sizes = [image_size // stride for stride in hub_network.feat_strides]
    features = InnerCells(sizes, name="inner_cells")(memory)
    for layer in hub_network.enc_output_layers:
        features = layer(features)
    logits, shifts = hub_network.enc_score_head(features), hub_network.enc_bbox_head(features)
    select = QuerySelection(sizes, hub_network.num_queries, name="selection")
    first_logits, first_boxes, references, queries = select(logits, shifts, features)
    refine = QueryRefinement(_decoder_arguments(hub_network.decoder), name="refinement")
    logits, boxes, distributions, starts = refine(queries, memory, references)
    refine.decoder.set_weights(hub_network.decoder.get_weights())
    outputs = {
        "class_logits": ops.concatenate([first_logits[:, None], logits], axis=1),
        "boxes": ops.concatenate([first_boxes[:, None], boxes], axis=1),
        "distributions": distributions,
        "starts": starts,
    }
    network = keras.Model(image, outputs)
    blocks = blocks_of(network, [*ends, ("neck", memory), ("head", list(outputs.values()))])
    return add_preprocessing(network, blocks, preprocessing, image_size, name=name)


def _up_to_memory(hub_network, image_size):
    """Calls the layers up to the decoder's memory again, without KerasHub's nesting.

    KerasHub nests all stages of the backbone in one layer, so that single blocks could not freeze.

    Returns:
        Tuple of the image, a list of (block name, Keras tensor at its end), and the cells of all maps, (batch, cells,
        width).
    """
    image = keras.Input((image_size, image_size, 3))
    backbone = hub_network.backbone
    ends = [("stem", backbone.embedder_layer(image))]
    for number, stage in enumerate(backbone.encoder_layer.stages_list, start=1):
        ends.append((f"stage{number}", stage(ends[-1][1])))
    maps = bundle_maps([dict(ends)[name] for name in hub_network.out_features])
    entries = [projection[0].input for projection in hub_network.encoder_input_proj_layers]
    return image, ends, keras.Function(entries, hub_network.source_flattener.output).call(maps)


def _decoder_arguments(decoder):
    own = {key: value for key, value in decoder.get_config().items() if key not in ("name", "trainable", "dtype")}
    # KerasHub replaces this number by a variable when it builds the layer.
    return {**own, "upsampling_factor": float(decoder.upsampling_factor.numpy()[0])}
