"""D-FINE with the weights of a KerasHub preset, trained on COCO or Objects365."""

from tl_keras.errors import InputError
from tl_keras.models.detection.d_fine import STRIDE, make_d_fine
from tl_keras.models.detection.features import check_image_size
from tl_keras.models.detection.hub.d_fine_network import flatten
from tl_keras.models.detection.hub.d_fine_sizes import make_alike
from tl_keras.models.detection.hub.presets import coco_class_names, open_hub_detector
from tl_keras.models.images.building import short_name
from tl_keras.models.weights.loading import load_arrays
from tl_keras.models.weights.matching import layers_with_weights


def build_preset_d_fine(preset, num_classes, image_size, settings, *, class_names, bounding_box_format="xyxy"):
    """Builds D-FINE with the architecture and the weights of a KerasHub preset.

    Args:
        preset: name or folder of a `keras_hub.models.DFineBackbone`.
        num_classes: number of classes, at least 1.
        image_size: height and width of the images in pixels, a multiple of 32.
        settings: `DFineSettings`.
        class_names: tuple of names, or None. Classes with a COCO name, such as "traffic light", keep their weights.
        bounding_box_format: see `build_object_detector`.

    Returns:
        `DFine` with its `class_names` and `weights_report`.

    Raises:
        InputError: the preset cannot be opened, has learned queries, or the image size is not a multiple of 32.
    """
    check_image_size(image_size, STRIDE)
    hub_network, preprocessing = open_hub_detector(preset, "DFineBackbone")
    if hub_network.learn_initial_query:
        raise InputError(
            f"The KerasHub preset {preset!r} has learned queries, expected queries selected from the image."
        )
    model = make_d_fine(
        lambda num_queries: make_alike(hub_network, num_classes, image_size, num_queries),
        hub_network.feat_strides,
        preprocessing,
        image_size,
        settings,
        bounding_box_format=bounding_box_format,
        name=short_name(preset),
    )
    model.class_names = class_names
    layers = layers_with_weights(flatten(_renamed(hub_network, image_size), preprocessing, image_size, name=model.name))
    model.weights_report = load_arrays(model, layers, preset, class_names=coco_class_names(hub_network.num_labels))
    return model


def _renamed(hub_network, image_size):
    """Copies a preset's network to drop the backbone's name from the names of its layers."""
    copy = make_alike(hub_network, hub_network.num_labels, image_size, hub_network.num_queries)
    weights = [weight for weight in hub_network.weights if not weight.path.startswith("denoising_class_embed")]
    for own, other in zip(copy.weights, weights, strict=True):
        own.assign(other)
    return copy
