"""Random detectors of KerasHub, saved as local presets for `weights="coco"`."""

import keras_hub

from tests.models.detection.detector_harness import perturb
from tests.models.detection.tiny_detectors import D_FINE
from tl_keras.models.detection.hub.d_fine_sizes import make_hub_network

SCALES = {"scale": [1 / 58, 1 / 57, 1 / 56], "offset": [-2.0, -1.9, -1.8]}


def save_retina_net(folder, num_classes, *, use_p5=False, norm=False):
    """Saves a RetinaNet on a ResNet of four layers; returns it and its image converter."""
    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 8, 8, 8],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        image_shape=(None, None, 3),
    )
    backbone = keras_hub.models.RetinaNetBackbone(encoder, min_level=3, max_level=7, use_p5=use_p5)
    converter = keras_hub.layers.RetinaNetImageConverter(image_size=(64, 64), **SCALES)
    model = keras_hub.models.RetinaNetObjectDetector(
        backbone,
        num_classes=num_classes,
        use_prediction_head_norm=norm,
        pre_logits_num_conv_layers=1,
        preprocessor=keras_hub.models.RetinaNetObjectDetectorPreprocessor(image_converter=converter),
    )
    perturb(model, 0.02)
    model.save_to_preset(folder)
    return model, converter


def save_d_fine(folder, num_classes):
    """Saves a D-FINE for images of 64 pixels; returns it and its image converter."""
    network = make_hub_network(D_FINE, num_classes, 64, 12)
    converter = keras_hub.layers.DFineImageConverter(image_size=(64, 64), **SCALES)
    perturb(network, 0.02)
    network.save_to_preset(folder)
    converter.save_to_preset(folder)
    return network, converter
