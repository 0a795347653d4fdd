"""Report of a run: a single self-contained HTML file."""

import base64
import mimetypes
from pathlib import Path

from tl_keras.evaluation.classification import most_confused
from tl_keras.evaluation.confidence.calibration import describe_calibration
from tl_keras.evaluation.detection_mistakes import MISTAKES
from tl_keras.evaluation.formatting import format_number, metric_label
from tl_keras.evaluation.intervals import MEANING
from tl_keras.evaluation.result_tables import compare_rows, result_rows
from tl_keras.evaluation.templates import load_template
from tl_keras.system.atomic_files import write_text

MAX_SKIPPED_FILES = 200
"""Maximum number of skipped files to list; further ones are only counted."""


def write_report(
    path,
    *,
    title,
    metrics,
    phases,
    config_text,
    plots,
    skipped,
    versions,
    baselines=(),
    verdict=(),
    mistakes=(),
    notes=(),
):
    """Writes a self-contained HTML report, without scripts and with embedded plots.

    Args:
        path: the HTML file to write.
        title: str, the heading of the report.
        metrics: dict of metrics, such as `classification_metrics` returns, and perhaps of their `intervals`. Each
            number becomes a headline, the first one highlighted; `per_class` and `confusion_matrix`, if present,
            become tables.
        phases: list of dict(name, blocks, trainable_parameters, learning_rate, epochs, seconds, audit) in order of
            training; `blocks` is a str or a list of str; missing values and None are shown as a dash.
        config_text: str, the resolved configuration, shown unchanged.
        plots: list of (caption, path of an image file).
        skipped: list of (name, reason) of the skipped files.
        versions: dict from package name to version.
        baselines: sequence of dicts of metrics to compare with, with keys of `metrics`, their `intervals`, the `name`
            and the CPU `seconds` of the baseline.
        verdict: sequence of sentences on the comparison.
        mistakes: list of dict(text, true, predicted, probability) of misclassified texts.
        notes: list of sentences on the data, shown below the headlines.

    Raises:
        FileNotFoundError: a plot does not exist.
    """
    matrix = metrics.get("confusion_matrix")
    page = load_template("report.html.jinja", number=format_number).render(
        title=title,
        headlines=result_rows(metrics),
        interval_meaning=MEANING if metrics.get("intervals") else "",
        calibration=describe_calibration(metrics),
        comparison=compare_rows(metrics, baselines),
        verdict=verdict,
        mistakes=mistakes,
        notes=notes,
        per_class=_weakest_first(metrics.get("per_class", {})),
        confused=most_confused(matrix, list(metrics["per_class"])) if matrix else [],
        mistake_counts=_mistake_counts(metrics),
        phases=phases,
        config_text=config_text,
        plots=[(caption, data_uri(plot)) for caption, plot in plots],
        skipped=skipped,
        max_skipped=MAX_SKIPPED_FILES,
        versions=versions,
    )
    write_text(Path(path), page)


def _weakest_first(per_class):
    """Sorts (name, scores) by F1; classes without a test example, which have none, come last."""
    return sorted(per_class.items(), key=lambda item: (not item[1]["support"], item[1]["f1"] or 0))


def _mistake_counts(metrics):
    """Lists (kind, meaning, count) of the mistakes of a detector, the most frequent first."""
    counts = metrics.get("mistakes", {})
    return [(metric_label(kind), MISTAKES[kind], counts[kind]) for kind in sorted(counts, key=counts.get, reverse=True)]


def data_uri(path):
    """Embeds an image file in a page, as the text of its address."""
    kind = mimetypes.guess_type(path)[0]
    return f"data:{kind};base64,{base64.b64encode(Path(path).read_bytes()).decode()}"
