"""Map of the features of two domains, before and after adaptation."""

import matplotlib
import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from tl_keras.evaluation.figures import BLUE, GREY, ORANGE, saved_figure
from tl_keras.evaluation.fonts import drawable_names

PANEL = 4.6
"""Side of a panel in inches."""
MIN_FOR_TSNE = 30
MAX_COLOURED_CLASSES = 10


def plot_domains(reports, class_names, path):
    """Draws source and target features in two dimensions, a column for each moment.

    t-SNE of both domains together (van der Maaten and Hinton 2008,
    https://www.jmlr.org/papers/v9/vandermaaten08a.html). Look at whether the domains mix and whether the classes stay
    apart; distances between far groups mean nothing. The upper row is coloured by domain, the lower one by class.

    Args:
        reports: dict from a moment, such as "before", to a dict of `features` (dict from "source" and "target" to float
            (n, channels)) and `labels` (dict from domain to int (n,), for the domains with known labels).
        class_names: sequence of class names.
        path: the PNG file to write.
    """
    coloured = len(class_names) <= MAX_COLOURED_CLASSES
    rows = 1 + coloured
    with saved_figure(path, PANEL * len(reports), PANEL * rows) as figure:
        panels = figure.subplots(rows, len(reports), squeeze=False)
        for column, (moment, report) in enumerate(reports.items()):
            places = _places(report["features"])
            _draw_domains(panels[0, column], places, moment)
            if coloured:
                _draw_classes(panels[1, column], places, report["labels"], class_names, legend=column == 0)


def _places(features):
    """Projects all examples on a plane; returns a dict from the domain to float (n, 2)."""
    both = np.concatenate(list(features.values())).astype("float64")
    with np.errstate(invalid="ignore"):
        both = PCA(min(50, *both.shape), random_state=0).fit_transform(np.nan_to_num(both))
    both = np.pad(both, [(0, 0), (0, max(0, 2 - both.shape[1]))])
    # scikit-learn 1.9 turns identical features into NaN, and its tree of NaN crashes the process.
    if len(both) >= MIN_FOR_TSNE and np.ptp(both[:, 0]) > 0:
        both = TSNE(init="pca", perplexity=min(30, len(both) / 4), random_state=0).fit_transform(both)
    ends = np.cumsum([len(part) for part in features.values()])[:-1]
    return dict(zip(features, np.split(both[:, :2], ends), strict=True))


def _draw_domains(axes, places, moment):
    for (domain, points), colour in zip(places.items(), (BLUE, ORANGE), strict=True):
        axes.scatter(*points.T, s=7, c=colour, alpha=0.6, linewidths=0, label=domain)
    axes.set_title(moment)
    axes.legend(loc="best")
    axes.set(xticks=[], yticks=[])


def _draw_classes(axes, places, labels, class_names, legend):
    colours = matplotlib.colormaps["tab10"].colors
    for (domain, points), marker in zip(places.items(), ("o", "x"), strict=True):
        known = labels.get(domain)
        shades = [GREY] * len(points) if known is None else [colours[label] for label in known]
        axes.scatter(*points.T, s=9, c=shades, marker=marker, alpha=0.7, linewidths=0.8 if marker == "x" else 0)
    if legend:
        for name, colour in zip(drawable_names(class_names), colours, strict=False):
            axes.scatter([], [], s=14, color=colour, label=name)
        axes.legend(loc="best", ncols=2, fontsize=7, title="o source  x target", title_fontsize=7)
    axes.set(xticks=[], yticks=[])
