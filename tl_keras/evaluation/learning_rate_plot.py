"""Plot of a learning rate sweep: the loss at each rate, and the suggested rate."""

import numpy as np
from matplotlib.ticker import NullFormatter

from tl_keras.evaluation.figures import BLUE, GREY, ORANGE, saved_figure

HEADROOM = 0.5
"""Share of the fall of the loss by which the axis rises above the first loss; diverged losses above are cut off."""


def plot_learning_rate_curve(rates, losses, smoothed, suggestion, path):
    """Draws the loss over the rates of a learning rate sweep and marks the suggested rate.

    Args:
        rates: float (n,), increasing, above 0.
        losses: float (n,), the loss of the batch trained at each rate.
        smoothed: float (n,), the moving average of `losses`.
        suggestion: float, the rate to mark, or None if the sweep suggests no rate; the title then says so.
        path: the PNG file to write.
    """
    rates, losses, smoothed = (np.asarray(values, "float64") for values in (rates, losses, smoothed))
    with saved_figure(path, 5.4, 3.4) as figure:
        axes = figure.subplots()
        axes.plot(rates, losses, color=GREY, alpha=0.45, linewidth=0.9, label="each batch")
        axes.plot(rates, smoothed, color=BLUE, linewidth=1.8, label="smoothed")
        axes.set_xscale("log")
        # The default formatter of a logarithmic axis writes formulas, which the common style does not render.
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:.0e}".replace("e-0", "e-").replace("e+0", "e"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(*_limits(losses, smoothed))
        if suggestion is None:
            axes.set_title("Learning rate: no suggestion, the loss never fell", pad=8)
        else:
            axes.set_title(f"Learning rate: {suggestion:.1e}", pad=8)
            loss = np.interp(np.log(suggestion), np.log(rates), smoothed)
            axes.axvline(suggestion, color=ORANGE, linewidth=1, linestyle=(0, (4, 1.5)))
            axes.plot(suggestion, loss, "o", markersize=8, markerfacecolor="none", markeredgecolor=ORANGE)
        axes.set_ylabel("loss")
        axes.set_xlabel("learning rate", loc="right")
        axes.grid(axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.09), ncols=2)


def _limits(losses, smoothed):
    """Limits the axis to the fall of the loss, and cuts off the losses that diverge at high rates."""
    start, lowest = smoothed[0], smoothed.min()
    bottom = min(lowest, losses.min())
    top = max(start, losses[: max(3, len(losses) // 2)].max()) + HEADROOM * (start - lowest)
    margin = 0.05 * (top - bottom) or 0.5
    return bottom - margin, top + margin
