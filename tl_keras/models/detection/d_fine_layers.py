"""The parts between the neck and the boxes of D-FINE, as layers that can be saved."""

import importlib

import keras
import numpy as np
from keras import ops

ANCHOR_SIZE, BORDER = 0.05, 0.01
"""Side of the finest map's anchors, and how near to the border no anchor may lie, as shares of the image."""


def cell_anchors(sizes):
    """Lays an anchor over each cell of square maps, as D-FINE and its kin do.

    Args:
        sizes: list of the numbers of cells along each side of the maps, finest first.

    Returns:
        Tuple of float32 (cells, 4), logits of relative center_xywh, and bool (cells, 1), False for anchors at the
        border, whose logits are as large as can be.
    """
    anchors = []
    for level, size in enumerate(sizes):
        at = (np.arange(size) + 0.5) / size
        x, y = np.meshgrid(at, at)
        side = np.full(x.shape, ANCHOR_SIZE * 2**level)
        anchors.append(np.stack([x, y, side, side], axis=-1).reshape(-1, 4))
    anchors = np.concatenate(anchors).astype("float32")
    is_inner = ((anchors > BORDER) & (anchors < 1 - BORDER)).all(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(anchors / (1 - anchors))
    return np.where(is_inner, logits, np.finfo("float32").max), is_inner


@keras.saving.register_keras_serializable("tl_keras")
class InnerCells(keras.layers.Layer):
    """Blanks the cells whose anchors lie at the border.

    Call arguments:
        memory: float32 (batch, cells, width), the maps one after the other.

    Returns:
        float32 (batch, cells, width).

    Args:
        sizes: list of the numbers of cells along each side of the maps.
    """

    def __init__(self, sizes, **options):
        super().__init__(**{**options, "dtype": "float32"})
        self.sizes = list(sizes)

    def call(self, memory):
        """See the class."""
        return ops.where(ops.convert_to_tensor(cell_anchors(self.sizes)[1]), memory, 0.0)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "sizes": self.sizes}


@keras.saving.register_keras_serializable("tl_keras")
class QuerySelection(keras.layers.Layer):
    """Takes the cells that are most likely objects, of whatever class, as the queries (Peng et al. 2024, figure 2).

    It does what KerasHub's `DFineInitialQueryAndReferenceGenerator` does, but for all images at once.

    Call arguments:
        logits: float32 (batch, cells, num_classes).
        shifts: float32 (batch, cells, 4), what is added to the logits of the anchors.
        features: float32 (batch, cells, width).

    Returns:
        Tuple of the four for the chosen cells, best first, (batch, num_queries, ...): logits, boxes as numbers 0 to 1,
        and, without a gradient, the boxes' logits and the features.

    Args:
        sizes: list of the numbers of cells along each side of the maps.
        num_queries: number of cells to take, at most all.
    """

    def __init__(self, sizes, num_queries, **options):
        super().__init__(**{**options, "dtype": "float32"})
        self.sizes = list(sizes)
        self.num_queries = num_queries

    def call(self, logits, shifts, features):
        """See the class."""
        boxes = shifts + ops.convert_to_tensor(cell_anchors(self.sizes)[0])
        _, best = ops.top_k(ops.max(logits, axis=-1), self.num_queries)
        logits, boxes, features = (
            ops.take_along_axis(part, best[..., None], axis=1) for part in (logits, boxes, features)
        )
        return logits, ops.sigmoid(boxes), ops.stop_gradient(boxes), ops.stop_gradient(features)

    def compute_output_shape(self, logits_shape, shifts_shape, features_shape):
        """Returns the four shapes."""
        shapes = (logits_shape, shifts_shape, shifts_shape, features_shape)
        return tuple((shape[0], self.num_queries, shape[2]) for shape in shapes)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "sizes": self.sizes, "num_queries": self.num_queries}


@keras.saving.register_keras_serializable("tl_keras")
class QueryRefinement(keras.layers.Layer):
    """KerasHub's decoder of D-FINE, whose layers move boxes a little each, by distributions over distances.

    Peng et al. 2024, "D-FINE" (https://arxiv.org/abs/2410.13842, section 4.1). KerasHub's layer cannot be saved by
    itself, since its configuration holds a variable. Computes in float32: bfloat16 tells no 300 pixels apart.

    Call arguments:
        queries: float32 (batch, n, width).
        memory: float32 (batch, cells, width), the maps one after the other.
        references: float32 (batch, n, 4), logits of centres and sizes relative to the image.

    Returns:
        Tuple of four float32: logits (batch, layers + 1, n, num_classes), boxes (batch, layers + 1, n, 4), relative
        center_xywh, both first from before the first layer's refinement; distributions (batch, layers, n, 4 * 33),
        logits over the distances of left, top, right and bottom; and the boxes that these start from (batch, n, 4).

    Args:
        arguments: dict of plain values, those of KerasHub's `DFineDecoder`.
    """

    def __init__(self, arguments, **options):
        super().__init__(**{**options, "dtype": "float32"})
        self.arguments = arguments
        decoder = importlib.import_module("keras_hub.src.models.d_fine.d_fine_decoder").DFineDecoder
        self.decoder = decoder(**arguments, dtype=self.dtype_policy, name="decoder")

    def build(self, queries_shape, memory_shape, references_shape):
        """Builds the decoder."""
        self.decoder.build(tuple(queries_shape))

    def call(self, queries, memory, references):
        """See the class."""
        shapes = ops.convert_to_tensor(self.arguments["spatial_shapes"])
        # Without its attentions KerasHub's decoder takes the images of a batch apart as if they were two results.
        outputs = self.decoder(queries, memory, references, shapes, output_attentions=True)
        logits, boxes, distributions, starts = outputs[2:6]
        return logits, boxes, distributions[:, 1:], starts[:, 0]

    def compute_output_shape(self, queries_shape, memory_shape, references_shape):
        """Returns the four shapes."""
        batch, number = queries_shape[:2]
        layers, distances = self.decoder.num_decoder_layers, 4 * (self.decoder.max_num_bins + 1)
        return (
            (batch, layers + 1, number, self.decoder.num_labels),
            (batch, layers + 1, number, 4),
            (batch, layers, number, distances),
            (batch, number, 4),
        )

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "arguments": self.arguments}
