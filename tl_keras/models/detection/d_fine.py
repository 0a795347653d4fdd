"""D-FINE: a transformer that turns queries into boxes, one per object, on KerasHub's network with our own losses.

KerasHub's losses count padding as objects, and its denoising samples are fixed when the network is built, so training
uses no denoising.
"""

import keras
from keras import ops

from tl_keras.errors import InputError, counted, unknown_name
from tl_keras.models.detection.box_decoders import Decoder
from tl_keras.models.detection.detector import Detector
from tl_keras.models.detection.features import check_image_size
from tl_keras.models.detection.hub.d_fine_network import flatten
from tl_keras.models.detection.hub.d_fine_sizes import SIZES, make_hub_network
from tl_keras.models.detection.losses.d_fine import (
    GroundTruth,
    Union,
    bin_distances,
    box_losses,
    class_losses,
    corners,
    edge_losses,
    match_queries,
)
from tl_keras.models.images.backbones import UNIT

STRIDE = 32


class DFine(Detector):
    """D-FINE as one functional model, built by `build_d_fine`.

    Peng et al. 2024 (https://arxiv.org/abs/2410.13842), without denoising. The losses are `class_loss`, `box_loss` and
    `edge_loss`, each summed over all layers with predictions.

    Args:
        inputs: Keras tensor, the input of the model.
        outputs: dictionary of Keras tensors from `d_fine_network.flatten`.
        decoder: `QueryDecoder`.
        num_classes: number of classes.
        name: name of the model.
    """

    decoder_inputs = ("class_logits", "boxes")
    loss_names = ("class_loss", "box_loss", "edge_loss")

    @property
    def class_layers(self):
        """Names of the layers whose last axis is the class: one of the selection, and one per refinement."""
        layers = self.output["distributions"].shape[1]
        return ("head.enc_score_head", *(f"head.refinement/decoder/class_embed_{number}" for number in range(layers)))

    def image_losses(self, boxes, labels, outputs, training):
        """Computes the losses of each image, see `Detector`."""
        logits, predicted = outputs["class_logits"], outputs["boxes"]
        self._check_room(labels.shape[1], logits.shape[2])
        boxes = keras.utils.bounding_boxes.convert_format(boxes, "xyxy", "center_xywh") / self.image_size
        ground_truth = GroundTruth(boxes, ops.one_hot(labels, self.num_classes), labels >= 0)
        matches = match_queries(logits, predicted, ground_truth)
        union = Union.of(matches, ground_truth)
        decoder = self.get_layer("head.refinement").decoder
        scale, bound = ops.abs(decoder.reg_scale[0]), ops.abs(decoder.upsampling_factor[0])
        values = bin_distances(decoder.max_num_bins + 1, scale, bound)
        # The encoder and the initial prediction of the first layer have no distributions.
        distributing = predicted[:, 2:], outputs["distributions"]
        return {
            "class_loss": class_losses(logits, predicted, matches, ground_truth),
            "box_loss": box_losses(predicted, union),
            "edge_loss": edge_losses(
                distributing[1], outputs["starts"], logits[:, -1], distributing[0], union, values, scale
            ),
        }

    def _check_room(self, max_boxes, num_queries):
        if max_boxes > num_queries:
            raise InputError(
                f"Images are padded to {counted(max_boxes, 'box')}, but D-FINE detects at most {num_queries}: give "
                f"settings with num_queries={max_boxes}, a larger image size, or images with fewer boxes."
            )


@keras.saving.register_keras_serializable("tl_keras")
class QueryDecoder(Decoder):
    """Decodes the queries of the last layer.

    Call arguments:
        logits: float32 (batch, layers, n, num_classes).
        boxes: float32 (batch, layers, n, 4), relative center_xywh.
    """

    def boxes_and_scores(self, logits, boxes):
        """Returns float32 (batch, n, 4), xyxy in pixels, and (batch, n, num_classes)."""
        return corners(boxes[:, -1]) * self.image_size, ops.sigmoid(logits[:, -1])


def build_d_fine(size, num_classes, image_size, settings, *, bounding_box_format="xyxy"):
    """Builds D-FINE on raw pixels.

    Args:
        size: a key of `SIZES`.
        num_classes: number of classes, at least 1.
        image_size: height and width of the images in pixels, a multiple of 32.
        settings: `DFineSettings`.
        bounding_box_format: see `build_object_detector`.

    Returns:
        `DFine` with the blocks `stem`, `stage1` to `stage4`, `neck` and `head`.

    Raises:
        InputError: the size is unknown, or the image size is not a multiple of 32.
    """
    if size not in SIZES:
        raise unknown_name("model.backbone", size, SIZES)
    check_image_size(image_size, STRIDE)
    return make_d_fine(
        lambda num_queries: make_hub_network(SIZES[size], num_classes, image_size, num_queries),
        SIZES[size].strides,
        UNIT,
        image_size,
        settings,
        bounding_box_format=bounding_box_format,
        name=size,
    )


def make_d_fine(make_network, strides, preprocessing, image_size, settings, *, bounding_box_format, name):
    """Builds the detector on KerasHub's network.

    Args:
        make_network: function from the number of queries to a `keras_hub.models.DFineBackbone`.
        strides: pixels per cell of the feature maps of the network.
        preprocessing: `Preprocessing` of its weights.
        image_size: height and width of the images in pixels, a multiple of 32.
        settings: `DFineSettings`.
        bounding_box_format: see `build_object_detector`.
        name: name of the model.

    Returns:
        `DFine`.
    """
    cells = sum((image_size // stride) ** 2 for stride in strides)
    hub_network = make_network(min(settings.num_queries, cells))
    network = flatten(hub_network, preprocessing, image_size, name=name)
    decoder = QueryDecoder(image_size, settings.decoding, bounding_box_format)
    return DFine(network.input, network.output, decoder=decoder, num_classes=hub_network.num_labels, name=name)
