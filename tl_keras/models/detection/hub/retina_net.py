"""RetinaNet with the weights of a KerasHub preset, converted from torchvision's training on COCO."""

from dataclasses import replace

import numpy as np

from tl_keras.models.detection.hub.presets import coco_class_names, open_hub_detector
from tl_keras.models.detection.retina_net import OCTAVES, build_retina_net
from tl_keras.models.images.building import add_preprocessing, short_name
from tl_keras.models.images.hub_presets import blocks_of_hub
from tl_keras.models.weights.files import StoredLayer
from tl_keras.models.weights.loading import load_arrays
from tl_keras.models.weights.matching import layers_with_weights

DETECTOR_PREFIXES = ("neck.", "head.")


def build_preset_retina_net(preset, num_classes, image_size, settings, *, class_names, bounding_box_format="xyxy"):
    """Builds RetinaNet with the architecture and the weights of a KerasHub preset.

    Args:
        preset: name or folder of a `keras_hub.models.RetinaNetObjectDetector`.
        num_classes: number of classes, at least 1.
        image_size: height and width of the images in pixels, a multiple of 32.
        settings: `RetinaNetSettings`; only `decoding` is used.
        class_names: tuple of names, or None. Classes with a COCO name, such as "traffic light", keep their weights.
        bounding_box_format: see `build_object_detector`.

    Returns:
        `RetinaNet` with its `class_names` and `weights_report`.

    Raises:
        InputError: the preset cannot be opened, or the image size is not a multiple of 32.
    """
    hub_model, preprocessing = open_hub_detector(preset, "RetinaNetObjectDetector")
    encoder = hub_model.backbone.image_encoder
    backbone = add_preprocessing(encoder, blocks_of_hub(encoder), preprocessing, image_size, name=short_name(preset))
    model = build_retina_net(
        backbone, num_classes, _settings_of(hub_model, settings), bounding_box_format=bounding_box_format
    )
    model.class_names = class_names
    # The backbone already has its weights.
    layers = [layer for layer in layers_with_weights(model) if not layer.name.startswith(DETECTOR_PREFIXES)]
    layers += _neck(hub_model.backbone.feature_pyramid)
    layers += _branch(hub_model.classification_head, "class", hub_model.num_classes)
    layers += _branch(hub_model.box_head, "box", 4)
    model.weights_report = load_arrays(model, layers, preset, class_names=coco_class_names(hub_model.num_classes))
    return model


def _settings_of(hub_model, settings):
    backbone, anchors = hub_model.backbone, hub_model.anchor_generator
    levels = range(backbone.min_level, backbone.max_level + 1)
    return replace(
        settings,
        channels=backbone.feature_pyramid.num_filters,
        head_depth=hub_model.pre_logits_num_conv_layers,
        anchor_sizes=tuple(float(2**level * anchors.anchor_size) for level in levels),
        aspect_ratios=tuple(anchors.aspect_ratios),
        anchors_at_corners=True,
        coarse_from_backbone=backbone.use_p5,
        group_norm=hub_model.use_prediction_head_norm,
    )


def _neck(pyramid):
    for number, level in enumerate(pyramid.lateral_conv_layers):
        yield _arrays(f"neck.lateral{number}", pyramid.lateral_conv_layers[level])
        yield _arrays(f"neck.output{number}", pyramid.output_conv_layers[level])
    for level in ("P6", "P7"):
        yield _arrays(f"neck.level{level[1]}", pyramid.output_conv_layers[level])


def _branch(head, name, values):
    for number, layer in enumerate(head.conv_layers, start=1):
        yield _arrays(f"head.{name}{number}", layer)
    for number, layer in enumerate(head.group_norm_layers, start=1):
        yield _arrays(f"head.{name}_norm{number}", layer)
    last = _arrays("head.logits" if name == "class" else "head.boxes", head.prediction_layer)
    yield replace(last, arrays=tuple(_ordered_by_size(array, values) for array in last.arrays))


def _ordered_by_size(array, values):
    """Reorders the anchors of a last layer: KerasHub orders them by aspect ratio, this project by size."""
    split = array.reshape(*array.shape[:-1], -1, len(OCTAVES), values)
    return np.swapaxes(split, -3, -2).reshape(array.shape)


def _arrays(name, layer):
    return StoredLayer(name, "", tuple(layer.get_weights()))
