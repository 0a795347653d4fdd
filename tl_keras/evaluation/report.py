"""The report of one run: a single HTML file that can be mailed, archived and read anywhere, for ever."""

import base64
import mimetypes
from pathlib import Path

import jinja2

from tl_keras.evaluation.classification import most_confused
from tl_keras.evaluation.detection_mistakes import MISTAKES
from tl_keras.evaluation.formatting import format_metric, format_number, metric_label, scalar_metrics

MAX_SKIPPED_FILES = 200
"""More left-out files than this are counted, not listed."""


def write_report(
    path,
    *,
    title,
    metrics,
    phases,
    config_text,
    pictures,
    skipped,
    versions,
    baseline=None,
    mistakes=(),
    notes=(),
):
    """Writes one self-contained report.html: no script, no outside request, pictures embedded.

    Args:
        path: the HTML file to write.
        title: str, the heading.
        metrics: dict, such as `classification_metrics` returns. Every single number in it becomes a headline, the
            first one largest; `per_class` and `confusion_matrix` become tables where present.
        phases: list of dict(name, blocks, trainable_parameters, learning_rate, epochs, seconds, audit), as they ran;
            `blocks` is a str or a list of str; what is absent or None shows as a dash.
        config_text: str, the resolved configuration, shown as it is.
        pictures: list of (caption, path of an image file).
        skipped: list of (name, reason) of the files left out.
        versions: dict of package name to version.
        baseline: optional dict of metrics to compare with, by the keys of `metrics`; its `name` says what it is, its
            `verdict`, where there, in a sentence what the comparison shows.
        mistakes: list of dict(text, true, predicted, probability) of texts that the model took for something else.
        notes: list of sentences on the data, shown below the figures.

    Raises:
        FileNotFoundError: one of the pictures does not exist.
    """
    page = _template().render(
        title=title,
        headlines=_headlines(metrics, baseline or {}),
        baseline_name=(baseline or {}).get("name", "baseline"),
        verdict=(baseline or {}).get("verdict", ""),
        mistakes=mistakes,
        notes=notes,
        per_class=sorted(metrics.get("per_class", {}).items(), key=lambda item: item[1]["f1"]),
        confused=_confused(metrics),
        found_mistakes=_found_mistakes(metrics),
        phases=phases,
        config_text=config_text,
        pictures=[(caption, _data_uri(picture)) for caption, picture in pictures],
        skipped=skipped,
        most_skipped=MAX_SKIPPED_FILES,
        versions=versions,
    )
    Path(path).write_text(page, encoding="utf-8")


def _template():
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment.get_template("report.html.jinja")


def _headlines(metrics, baseline):
    compared = {name: format_metric(name, value) for name, value in scalar_metrics(baseline).items()}
    return [
        (metric_label(name), format_metric(name, value), compared.get(name, ""))
        for name, value in scalar_metrics(metrics).items()
    ]


def _confused(metrics):
    if "confusion_matrix" not in metrics:
        return []
    return most_confused(metrics["confusion_matrix"], list(metrics["per_class"]))


def _found_mistakes(metrics):
    """Lists (kind, what it means, count) of what a detector got wrong, the most frequent first."""
    counts = metrics.get("mistakes", {})
    return [(metric_label(kind), MISTAKES[kind], counts[kind]) for kind in sorted(counts, key=counts.get, reverse=True)]


def _data_uri(picture):
    kind = mimetypes.guess_type(picture)[0]
    return f"data:{kind};base64,{base64.b64encode(Path(picture).read_bytes()).decode()}"
