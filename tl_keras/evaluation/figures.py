"""Common style of all plots: fonts, colours and sizes, and the context that saves a figure."""

import contextlib
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from tl_keras.evaluation.fonts import drawable_text, installed_fonts
from tl_keras.system.atomic_files import atomic_path

BLUE, ORANGE = "#0072B2", "#D55E00"
"""Two colours of Okabe and Ito (2008), distinct for every kind of colour vision."""
INK, GREY, FAINT = "#1f2933", "#66727f", "#e4e7eb"
PHASE_BAND = "#eef3f7"

STYLE = {
    "text.color": INK,
    # A `$` in a class or file name is a dollar sign, not the start of a formula.
    "text.parse_math": False,
    "axes.axisbelow": True,
    "axes.edgecolor": "#b8c0c8",
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.size": 9,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "xtick.color": "#b8c0c8",
    "ytick.color": "#b8c0c8",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
PIXELS_PER_INCH = 130


@contextlib.contextmanager
def saved_figure(path, width, height):
    """Creates an empty figure in the common style and saves it when the block succeeds.

    It works in threads, notebooks and servers, because no pyplot state is used. The same drawing gives the same bytes.

    Args:
        path: the PNG file to write; its folder is created if missing.
        width: width in inches.
        height: height in inches.

    Yields:
        A `matplotlib.figure.Figure` with constrained layout.
    """
    with matplotlib.rc_context(STYLE | {"font.family": list(installed_fonts())}):
        figure = Figure(figsize=(width, height), dpi=PIXELS_PER_INCH, layout="constrained", facecolor="white")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        FigureCanvasAgg(figure)
        yield figure
        for text in figure.findobj(Text):
            # Names of files may have letters of any script.
            text.set_text(drawable_text(text.get_text()))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(Path(path)) as temporary:
            # `savefig` would draw a figure with a layout twice.
            if figure.axes:
                figure.get_layout_engine().execute(figure)
            figure.set_layout_engine(None)
            figure.savefig(temporary, metadata={"Software": None})


def shorten(text, length):
    """Shortens a name by an ellipsis in the middle, because names often differ at their ends.

    Args:
        text: any string; line breaks and runs of spaces become one space.
        length: maximum number of characters to return, at least 3.

    Returns:
        `text` itself if short enough, else its start and end with an ellipsis between them.
    """
    text = " ".join(str(text).split())
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def add_image(figure, image, left, top, side):
    """Adds a square image to a figure, without scales.

    Images are placed by hand, because an automatic layout shrinks them to make room for a long name.

    Args:
        figure: `matplotlib.figure.Figure`.
        image: uint8 or float (height, width, 3), RGB, 0 to 255.
        left: distance from the left edge of the figure in inches.
        top: distance from the upper edge in inches.
        side: width and height in inches.

    Returns:
        `matplotlib.axes.Axes` in pixels of the image.
    """
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, 1 - (top + side) / height, side / width, side / height))
    image = np.asarray(image)
    axes.imshow(np.clip(image, 0, 255).astype("uint8"), extent=(0, image.shape[1], image.shape[0], 0))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=FAINT)
    return axes


def write_below(axes, text, points=4, *, color=GREY, font_size=7):
    """Writes a line of text below axes.

    Args:
        axes: `matplotlib.axes.Axes`.
        text: str.
        points: distance between the axes and the line.
        color: colour of the text.
        font_size: size in points.
    """
    axes.annotate(
        text, (0, 0), (0, -points), "axes fraction", "offset points", color=color, fontsize=font_size, va="top"
    )
