"""Contact sheet: many images with captions, to look at before files are opened one by one."""

from tl_keras.evaluation.figures import ORANGE, add_image, saved_figure, shorten, write_below

PER_ROW = 8
TILE_WIDTH, TILE_HEIGHT, MARGIN = 1.4, 1.85, 0.08
"""Size in inches of an image with its captions, and margin of the image."""


def plot_contact_sheet(images, captions, path):
    """Draws images in rows, in their order.

    Args:
        images: list of n images, uint8 or float (height, width, 3), RGB, 0 to 255, at least one.
        captions: list of n tuples of the name of the image and a second line, which may be empty.
        path: the PNG file to write.
    """
    columns = min(PER_ROW, len(images))
    rows = -(-len(images) // columns)
    with saved_figure(path, TILE_WIDTH * columns, TILE_HEIGHT * rows) as figure:
        for place, (image, (name, note)) in enumerate(zip(images, captions, strict=True)):
            row, column = divmod(place, columns)
            left, top = column * TILE_WIDTH + MARGIN, row * TILE_HEIGHT + MARGIN
            axes = add_image(figure, image, left, top, TILE_WIDTH - 2 * MARGIN)
            write_below(axes, shorten(name, 24), 4, font_size=6)
            write_below(axes, shorten(note, 20), 14, color=ORANGE, font_size=7)
