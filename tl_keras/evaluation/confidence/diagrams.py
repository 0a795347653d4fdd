"""Diagrams of a classifier's confidence, as coordinates that a page draws."""

import math

from tl_keras.evaluation.confidence.calibration import reliability_bins
from tl_keras.evaluation.confidence.coverage import coverage_curve
from tl_keras.evaluation.intervals import wilson_interval

LEFT, RIGHT, TOP, BOTTOM = 46, 308, 28, 244
"""Edges of the plotting area in the 328 × 290 units of a diagram."""
TICKS = 5


def reliability_diagram(correct, confidences):
    """Places the bins of a reliability diagram: confidence to the right, accuracy upwards.

    Args:
        correct: bool (n,), n >= 1.
        confidences: float (n,), 0 to 1.

    Returns:
        dict of `points`, each with its place, its 95 % interval and its figures, and `x_ticks` and `y_ticks`.
    """
    points = []
    for one in reliability_bins(correct, confidences):
        low, high = wilson_interval(one["accuracy"], one["count"])
        points.append(
            one
            | {"low": low, "high": high, "x": _x(one["confidence"]), "y": _y(one["accuracy"])}
            | {"y_low": _y(low), "y_high": _y(high), "radius": round(3 + 5 * math.sqrt(one["count"] / len(correct)), 1)}
        )
    return {"points": points, "x_ticks": _ticks(_x), "y_ticks": _ticks(_y)}


def coverage_diagram(correct, confidences, min_confidence=None):
    """Places the curve of accuracy over coverage.

    Args:
        correct: bool (n,), n >= 1.
        confidences: float (n,), 0 to 1.
        min_confidence: recommended confidence to mark, or None.

    Returns:
        dict of `line`, the points of a polyline as text, `mark`, the place of the recommended confidence or None,
        `rows` to read, and `x_ticks` and `y_ticks`.
    """
    curve = coverage_curve(correct, confidences)
    lowest = math.floor(10 * min(one["accuracy"] for one in curve)) / 10
    lowest = min(lowest, 0.9)

    def place(one):
        return _x(one["coverage"]), _y((one["accuracy"] - lowest) / (1 - lowest))

    kept = [one for one in curve if min_confidence is not None and one["confidence"] >= min_confidence]
    return {
        "line": " ".join(f"{x},{y}" for x, y in map(place, curve)),
        "mark": place(kept[-1]) if kept else None,
        "rows": curve[:: max(1, len(curve) // 10)],
        "x_ticks": _ticks(_x),
        "y_ticks": _ticks(_y, lowest),
    }


def _x(share):
    return round(LEFT + share * (RIGHT - LEFT), 1)


def _y(share):
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _ticks(place, lowest=0.0):
    """Returns a list of (place, label) of evenly spaced shares from the lowest to all."""
    shares = [step / TICKS for step in range(TICKS + 1)]
    return [(place(share), f"{100 * (lowest + share * (1 - lowest)):.0f} %") for share in shares]
