"""The picture of a learning rate sweep: the loss at each rate, and the rate that it speaks for."""

import numpy as np
from matplotlib.ticker import NullFormatter

from tl_keras.evaluation.figures import BLUE, FAINT, GREY, INK, ORANGE, saved_figure

HEADROOM = 0.5
"""What rises above the first loss by more than this share of the fall is cut off: it has diverged."""


def plot_learning_rate_curve(rates, losses, smoothed, suggestion, path):
    """Draws the loss of a learning rate sweep over the rates, and marks the suggested one.

    Args:
        rates: float (n,), rising, above 0.
        losses: float (n,), the loss of the batch trained at each rate.
        smoothed: float (n,), their moving average.
        suggestion: the rate to mark, or None: the picture then says that there is none.
        path: the PNG file to write.
    """
    rates, losses, smoothed = (np.asarray(values, "float64") for values in (rates, losses, smoothed))
    with saved_figure(path, 5.4, 3.4) as figure:
        axes = figure.subplots()
        axes.plot(rates, losses, color=GREY, alpha=0.45, linewidth=0.9, label="each batch")
        axes.plot(rates, smoothed, color=BLUE, linewidth=1.8, label="smoothed")
        axes.set_xscale("log")
        # The formatter of a logarithmic axis writes formulas, which the house style shows as they stand.
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:.0e}".replace("e-0", "e-").replace("e+0", "e"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(*_limits(losses, smoothed))
        if suggestion is None:
            axes.set_title("Learning rate: no suggestion, the loss never fell", pad=8)
        else:
            axes.set_title(f"Learning rate: {suggestion:.1e}", pad=8)
            _mark(axes, suggestion, np.interp(np.log(suggestion), np.log(rates), smoothed))
        axes.set_ylabel("loss")
        axes.set_xlabel("learning rate", loc="right")
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, labelcolor=INK, loc="upper left", bbox_to_anchor=(-0.02, -0.09), ncols=2)


def _mark(axes, suggestion, loss):
    axes.axvline(suggestion, color=ORANGE, linewidth=1, linestyle=(0, (4, 1.5)))
    axes.plot(suggestion, loss, "o", markersize=8, markerfacecolor="none", markeredgecolor=ORANGE)


def _limits(losses, smoothed):
    """Leaves out of sight what shoots up where the rate is far too high: the fall is what the picture is about."""
    start, lowest = smoothed[0], smoothed.min()
    bottom = min(lowest, losses.min())
    top = max(start, losses[: max(3, len(losses) // 2)].max()) + HEADROOM * (start - lowest)
    margin = 0.05 * (top - bottom) or 0.5
    return bottom - margin, top + margin
