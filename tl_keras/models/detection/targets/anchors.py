"""Anchors: boxes of fixed sizes and aspect ratios around every cell of a feature map."""

from dataclasses import dataclass

import numpy as np

MAX_ANCHORS = 2**23
"""Maximum number of anchors, twice that of the largest image that training accepts: 128 MiB."""


@dataclass(frozen=True)
class AnchorGrid:
    """Describes all anchors of a square image by their sizes and positions."""

    image_size: int
    """Height and width of the image in pixels."""
    strides: tuple[int, ...]
    """Pixels per cell of each level, finest first."""
    sizes: tuple[tuple[float, ...], ...]
    """Square roots of the areas of each level in pixels; the same number for each."""
    aspect_ratios: tuple[float, ...]
    """Height divided by width."""
    at_corners: bool = False
    """True centres anchors on the upper left corners of the cells, in whole pixels, as torchvision does."""

    def __post_init__(self):
        """Limits the memory of the anchors, since the model file of a stranger names the sizes."""
        cells = [(self.image_size / stride) ** 2 for stride in self.strides]
        anchors = sum(cells * len(sizes) for cells, sizes in zip(cells, self.sizes, strict=True))
        if not anchors * len(self.aspect_ratios) <= MAX_ANCHORS:
            raise ValueError(f"it has more than {MAX_ANCHORS:,} anchors")

    @property
    def per_cell(self):
        """Number of anchors around each cell."""
        return len(self.sizes[0]) * len(self.aspect_ratios)

    def levels(self):
        """Returns a list of float32 (anchors, 4), one array per level, see `make_anchors`."""
        return [
            make_anchors(self.image_size, stride, sizes, self.aspect_ratios, at_corners=self.at_corners)
            for stride, sizes in zip(self.strides, self.sizes, strict=True)
        ]

    def all(self):
        """Returns float32 (all_anchors, 4), the anchors of all levels in order."""
        return np.concatenate(self.levels())


def make_anchors(image_size, stride, sizes, aspect_ratios, *, at_corners=False):
    """Creates the anchors of a feature map of a square image.

    Ren et al. 2015, "Faster R-CNN" (https://arxiv.org/abs/1506.01497, section 3.1.1). An anchor of size s and aspect
    ratio r is s / sqrt(r) wide and s * sqrt(r) high, as in detectron2. It is centred on the middle of its
    cell, like the receptive field of layers with "same" padding; detectron2 uses the upper left corner of the cell.

    Args:
        image_size: height and width of the image in pixels.
        stride: pixels per cell of the feature map.
        sizes: sequence of square roots of areas, in pixels.
        aspect_ratios: sequence of height divided by width.
        at_corners: True centres them on the upper left corners of the cells and rounds their half sides to whole
            pixels, as torchvision does, for weights trained in this way.

    Returns:
        float32 (cells * cells * num_anchors, 4), xyxy in pixels, partly outside the image. `cells` is image_size /
        stride, rounded up; `num_anchors` is `len(sizes) * len(aspect_ratios)`. The order is that of a flattened feature
        map (cells, cells, num_anchors): by row, then by column, then by size.
    """
    shapes = [(size / ratio**0.5, size * ratio**0.5) for size in sizes for ratio in aspect_ratios]
    half = np.array(shapes).reshape(1, 1, -1, 2) / 2
    half = np.round(half) if at_corners else half
    centres = (np.arange(-(-image_size // stride)) + (0.0 if at_corners else 0.5)) * stride
    x, y = np.meshgrid(centres, centres)
    middle = np.stack([x, y], axis=-1)[:, :, np.newaxis]
    return np.concatenate([middle - half, middle + half], axis=-1).reshape(-1, 4).astype("float32")
