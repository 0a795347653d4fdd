"""Anchors: boxes of fixed sizes and shapes around every cell of a feature map."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AnchorGrid:
    """All anchors of a square image, as few numbers that say where they lie."""

    image_size: int
    """Height and width of the image in pixels."""
    strides: tuple[int, ...]
    """Pixels from one cell to the next, one for each level, finest first."""
    sizes: tuple[tuple[float, ...], ...]
    """Square roots of the areas, in pixels, of each level; as many in each."""
    aspect_ratios: tuple[float, ...]
    """Height by width."""
    at_corners: bool = False
    """Whether anchors lie around the upper left corners of the cells, by whole pixels, as torchvision's do."""

    @property
    def per_cell(self):
        """Number of anchors around each cell."""
        return len(self.sizes[0]) * len(self.aspect_ratios)

    def levels(self):
        """Returns a list of float32 (anchors, 4), one array for each level, see `make_anchors`."""
        return [
            make_anchors(self.image_size, stride, sizes, self.aspect_ratios, at_corners=self.at_corners)
            for stride, sizes in zip(self.strides, self.sizes, strict=True)
        ]

    def all(self):
        """Returns float32 (all_anchors, 4), the levels one after the other."""
        return np.concatenate(self.levels())


def make_anchors(image_size, stride, sizes, aspect_ratios, *, at_corners=False):
    """Lays anchors over a square image.

    Ren et al. 2015, "Faster R-CNN" (https://arxiv.org/abs/1506.01497, section 3.1.1). An anchor of size s and aspect
    ratio r is s / sqrt(r) wide and s * sqrt(r) high, as in detectron2. It lies around the middle of its cell, where
    the receptive field of layers with "same" padding lies too; detectron2 takes the cell's upper left corner.

    Args:
        image_size: height and width of the image in pixels.
        stride: pixels from one cell of the feature map to the next.
        sizes: sequence of square roots of areas, in pixels.
        aspect_ratios: sequence of height divided by width.
        at_corners: True lays them around the upper left corners of the cells, and rounds their halves to whole pixels,
            as torchvision does: for weights that were trained so.

    Returns:
        float32 (cells * cells * num_anchors, 4), xyxy in pixels, some of it outside the image. `cells` is image_size /
        stride, rounded up; `num_anchors` is `len(sizes) * len(aspect_ratios)`. The order is that of a feature map
        (cells, cells, num_anchors) made flat: row by row, then size by size.
    """
    shapes = [(size / ratio**0.5, size * ratio**0.5) for size in sizes for ratio in aspect_ratios]
    half = np.array(shapes).reshape(1, 1, -1, 2) / 2
    half = np.round(half) if at_corners else half
    centres = (np.arange(-(-image_size // stride)) + (0.0 if at_corners else 0.5)) * stride
    x, y = np.meshgrid(centres, centres)
    middle = np.stack([x, y], axis=-1)[:, :, np.newaxis]
    return np.concatenate([middle - half, middle + half], axis=-1).reshape(-1, 4).astype("float32")
