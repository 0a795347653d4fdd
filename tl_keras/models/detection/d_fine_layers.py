"""Layers of D-FINE between the neck and the boxes that can be saved."""

import importlib

import keras
import numpy as np
from keras import ops

MAX_CELLS = 2**20
"""Maximum number of cells of all maps, three times that of the largest image that training accepts."""
ANCHOR_SIZE, BORDER = 0.05, 0.01
"""Side of the finest map's anchors, and their minimum distance from the border, as shares of the image."""


def cell_anchors(sizes):
    """Creates one anchor per cell of square feature maps.

    Args:
        sizes: list of the number of cells along the side of each map, finest first.

    Returns:
        Tuple of float32 (cells, 4), logits of relative center_xywh, and bool (cells, 1), False for anchors at the
        border, whose logits are the maximum float32.

    Raises:
        ValueError: there are more than `MAX_CELLS` cells, as the model file of a stranger may say.
    """
    if not sum(size**2 for size in sizes) <= MAX_CELLS:
        raise ValueError(f"it has more than {MAX_CELLS:,} cells")
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
    """Sets the cells whose anchors lie at the border to zero.

    Call arguments:
        memory: float32 (batch, cells, width), the cells of all maps.

    Returns:
        float32 (batch, cells, width).

    Args:
        sizes: list of the number of cells along the side of each map.
    """

    def __init__(self, sizes, **options):
        super().__init__(**{**options, "dtype": "float32"})
        self.sizes = list(sizes)

    def call(self, memory):
        """Computes the outputs, see the class."""
        return ops.where(ops.convert_to_tensor(cell_anchors(self.sizes)[1]), memory, 0.0)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "sizes": self.sizes}


@keras.saving.register_keras_serializable("tl_keras")
class QuerySelection(keras.layers.Layer):
    """Selects the cells with the highest class scores as queries (Peng et al. 2024, figure 2).

    Equals KerasHub's `DFineInitialQueryAndReferenceGenerator`, but processes all images of a batch.

    Call arguments:
        logits: float32 (batch, cells, num_classes).
        shifts: float32 (batch, cells, 4), added to the logits of the anchors.
        features: float32 (batch, cells, width).

    Returns:
        Tuple of four tensors (batch, num_queries, ...) of the selected cells, best first: class logits, boxes from 0 to
        1, and, without a gradient, the logits of the boxes and the features.

    Args:
        sizes: list of the number of cells along the side of each map.
        num_queries: number of cells to select, at most all.
    """

    def __init__(self, sizes, num_queries, **options):
        super().__init__(**{**options, "dtype": "float32"})
        self.sizes = list(sizes)
        self.num_queries = num_queries

    def call(self, logits, shifts, features):
        """Computes the outputs, see the class."""
        boxes = shifts + ops.convert_to_tensor(cell_anchors(self.sizes)[0])
        _, best = ops.top_k(ops.max(logits, axis=-1), self.num_queries)
        logits, boxes, features = (
            ops.take_along_axis(part, best[..., None], axis=1) for part in (logits, boxes, features)
        )
        return logits, ops.sigmoid(boxes), ops.stop_gradient(boxes), ops.stop_gradient(features)

    def compute_output_shape(self, logits_shape, shifts_shape, features_shape):
        """Returns the shapes of the four outputs."""
        shapes = (logits_shape, shifts_shape, shifts_shape, features_shape)
        return tuple((shape[0], self.num_queries, shape[2]) for shape in shapes)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "sizes": self.sizes, "num_queries": self.num_queries}


@keras.saving.register_keras_serializable("tl_keras")
class QueryRefinement(keras.layers.Layer):
    """Wraps KerasHub's decoder of D-FINE, whose layers refine boxes by distributions over distances.

    Peng et al. 2024, "D-FINE" (https://arxiv.org/abs/2410.13842, section 4.1). KerasHub's own layer cannot be
    saved because its configuration contains a variable. Computes in float32: bfloat16 is too coarse for pixels.

    Call arguments:
        queries: float32 (batch, n, width).
        memory: float32 (batch, cells, width), the cells of all maps.
        references: float32 (batch, n, 4), logits of relative center_xywh.

    Returns:
        Tuple of four float32: logits (batch, layers + 1, n, num_classes), boxes (batch, layers + 1, n, 4), relative
        center_xywh, both starting with the values before the first refinement; distributions (batch, layers, n,
        4 * 33), logits over the distances of left, top, right and bottom; and the boxes (batch, n, 4) that the
        distances start from.

    Args:
        arguments: dict of plain values, the arguments of KerasHub's `DFineDecoder`.
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
        """Computes the outputs, see the class."""
        shapes = ops.convert_to_tensor(self.arguments["spatial_shapes"])
        # Without `output_attentions`, KerasHub's decoder unpacks the images of a batch as if they were two results.
        outputs = self.decoder(queries, memory, references, shapes, output_attentions=True)
        logits, boxes, distributions, starts = outputs[2:6]
        return logits, boxes, distributions[:, 1:], starts[:, 0]

    def compute_output_shape(self, queries_shape, memory_shape, references_shape):
        """Returns the shapes of the four outputs."""
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
