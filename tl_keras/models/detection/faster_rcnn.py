"""Faster R-CNN: a network that proposes boxes, and a second one that classifies and refines them."""

import keras
from keras import ops

from tl_keras.errors import InputError
from tl_keras.models.detection.box_decoders import HEAD_WEIGHTS, ProposalDecoder
from tl_keras.models.detection.box_head import BoxHead
from tl_keras.models.detection.detector import Detector
from tl_keras.models.detection.features import bundle_maps, require_maps
from tl_keras.models.detection.losses.per_image import l1_loss, mean_of_sample
from tl_keras.models.detection.neck import add_feature_pyramid, add_pooled_level
from tl_keras.models.detection.proposals import RegionProposals
from tl_keras.models.detection.targets.anchors import AnchorGrid
from tl_keras.models.detection.targets.box_coding import encode_boxes
from tl_keras.models.detection.targets.matching import IGNORED, POSITIVE, match_boxes
from tl_keras.models.detection.targets.sampling import sample_balanced

PYRAMID_STRIDES = (4, 8, 16, 32)
SINGLE_STRIDE = 16


class FasterRCNN(Detector):
    """Faster R-CNN as one functional model, built by `build_faster_rcnn`.

    Ren et al. 2015 (https://arxiv.org/abs/1506.01497), with the losses and samples of detectron2: cross-entropy and L1
    loss, each divided by the size of the sample.

    For inference, the graph applies the head to the proposals. For training, the losses apply it to a sample of
    proposals and ground-truth boxes instead, and the proposal network to a sample of anchors; TensorFlow prunes the
    unused part of the graph from the training step.

    Args:
        inputs: Keras tensor, the input of the model.
        outputs: dictionary of Keras tensors: `features` (a list of all levels), `objectness`, `deltas`, `proposals`,
            `class_logits` and `box_deltas`.
        region_proposals: `RegionProposals` of the graph.
        box_head: `BoxHead` of the graph.
        decoder: `ProposalDecoder`.
        settings: `FasterRCNNSettings`.
        name: name of the model.
        seed_generator: `keras.random.SeedGenerator` of the samples; None creates one.
    """

    decoder_inputs = ("proposals", "class_logits", "box_deltas")
    loss_names = ("objectness_loss", "anchor_box_loss", "class_loss", "box_loss")
    class_layers = ("head.logits", "head.boxes")

    def __init__(self, inputs, outputs, *, region_proposals, box_head, decoder, settings, name, seed_generator=None):
        super().__init__(inputs, outputs, decoder=decoder, num_classes=box_head.num_classes, name=name)
        self.region_proposals = region_proposals
        self.box_head = box_head
        self.settings = settings
        self.seed_generator = seed_generator or keras.random.SeedGenerator()

    @property
    def anchors(self):
        """`AnchorGrid` of the proposals."""
        return self.region_proposals.anchors

    def image_losses(self, boxes, labels, outputs, training):
        """Computes the losses of each image, see `Detector`."""
        seed = self.seed_generator if training else 0
        losses = self._proposal_losses(boxes, labels, outputs, seed)
        return losses | self._head_losses(boxes, labels, outputs, seed)

    def _proposal_losses(self, boxes, labels, outputs, seed):
        """Computes equation 1 of Ren et al. 2015."""
        anchors = ops.convert_to_tensor(self.anchors.all())[None]
        matches, kinds = match_boxes(anchors, boxes, labels >= 0, negative_below=0.3, positive_from=0.7, keep_best=True)
        sample, is_sampled = sample_balanced(kinds, self.settings.anchor_samples, 0.5, seed)
        anchors = ops.take(anchors[0], sample, axis=0)
        is_object = (_pick(kinds, sample) == POSITIVE) & is_sampled
        targets = encode_boxes(_pick(boxes, _pick(matches, sample)), anchors)
        objectness, deltas = self.region_proposals.at(outputs["features"], sample)
        distance = l1_loss(deltas, targets)
        entropy = ops.binary_crossentropy(ops.cast(is_object, "float32"), objectness, from_logits=True)
        return {
            "objectness_loss": mean_of_sample(entropy, is_sampled),
            "anchor_box_loss": mean_of_sample(ops.where(is_object, distance, 0.0), is_sampled),
        }

    def _head_losses(self, boxes, labels, outputs, seed):
        """Computes equation 1 of Girshick 2015 (https://arxiv.org/abs/1504.08083), also on ground-truth boxes."""
        proposals = ops.concatenate([outputs["proposals"], ops.where(labels[..., None] >= 0, boxes, -1.0)], axis=1)
        matches, kinds = match_boxes(proposals, boxes, labels >= 0, negative_below=0.5, positive_from=0.5)
        kinds = ops.where(proposals[..., 2] > proposals[..., 0], kinds, IGNORED)
        sample, is_sampled = sample_balanced(kinds, self.settings.head_samples, 0.25, seed)
        proposals, matches = _pick(proposals, sample), _pick(matches, sample)
        is_object = (_pick(kinds, sample) == POSITIVE) & is_sampled
        classes = ops.where(is_object, _pick(labels, matches), self.num_classes)
        logits, deltas = self.box_head(outputs["features"], proposals)
        entropy = ops.sparse_categorical_crossentropy(classes, logits, from_logits=True)
        own_class = ops.one_hot(classes, self.num_classes)  # all zeros for the background
        deltas = ops.einsum("bnkc,bnc->bnk", deltas, own_class)
        distance = l1_loss(deltas, encode_boxes(_pick(boxes, matches), proposals, HEAD_WEIGHTS))
        return {
            "class_loss": mean_of_sample(entropy, is_sampled),
            "box_loss": mean_of_sample(ops.where(is_object, distance, 0.0), is_sampled),
        }

    def _parts(self):
        names = ("region_proposals", "box_head", "decoder", "settings", "name", "seed_generator")
        return {name: getattr(self, name) for name in names}


def build_faster_rcnn(backbone, num_classes, settings, *, bounding_box_format="xyxy"):
    """Builds Faster R-CNN on a backbone, with a feature pyramid or on one map of stride 16.

    Args:
        backbone: flat functional `keras.Model` of square images, from `build_backbone`.
        num_classes: number of classes, at least 1.
        settings: `FasterRCNNSettings`.
        bounding_box_format: see `build_object_detector`.

    Returns:
        `FasterRCNN` with the blocks of the backbone up to the coarsest map in use, then `neck` (with a feature
        pyramid), `proposals` and `head`.

    Raises:
        InputError: the backbone lacks these maps, the image size is not a multiple of the stride, or the number of
            anchor sizes differs from that of the levels.
    """
    levels, strides = _levels(backbone, settings)
    sizes = [(size,) for size in settings.anchor_sizes] if settings.feature_pyramid else [settings.anchor_sizes]
    if len(sizes) != len(strides):
        raise InputError(
            f"There are {len(sizes)} anchor sizes for {len(strides)} levels of the feature pyramid: give one for each, "
            "finest first, such as 32 64 128 256 512."
        )
    image_size = backbone.input.shape[1]
    anchors = AnchorGrid(image_size, tuple(strides), tuple(sizes), tuple(settings.aspect_ratios))
    region_proposals = RegionProposals(anchors, settings)
    objectness, deltas, proposals = region_proposals(levels)
    # The pooled level serves proposals only.
    box_head = BoxHead(num_classes, strides[: len(PYRAMID_STRIDES)], settings)
    logits, box_deltas = box_head(levels, proposals)
    outputs = {
        "features": levels,
        "objectness": objectness,
        "deltas": deltas,
        "proposals": proposals,
        "class_logits": logits,
        "box_deltas": box_deltas,
    }
    return FasterRCNN(
        backbone.input,
        outputs,
        region_proposals=region_proposals,
        box_head=box_head,
        decoder=ProposalDecoder(image_size, settings.decoding, bounding_box_format),
        settings=settings,
        name=f"faster_rcnn_{backbone.name}",
    )


def _levels(backbone, settings):
    """Returns the feature maps for proposals, and their strides."""
    if not settings.feature_pyramid:
        return require_maps(backbone, [SINGLE_STRIDE]), [SINGLE_STRIDE]
    maps = bundle_maps(require_maps(backbone, PYRAMID_STRIDES))
    return add_pooled_level(add_feature_pyramid(maps, settings.channels)), [*PYRAMID_STRIDES, 2 * PYRAMID_STRIDES[-1]]


def _pick(values, indices):
    """Gathers (batch, n) or (batch, n, k) at indices (batch, m)."""
    return ops.take_along_axis(values, indices[..., None] if len(values.shape) == 3 else indices, axis=1)
