"""Report of a run: a single self-contained HTML file."""

import base64
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from tl_keras.errors import counted
from tl_keras.evaluation.classification import most_confused
from tl_keras.evaluation.confidence.calibration import describe_calibration
from tl_keras.evaluation.confidence.diagrams import coverage_diagram, reliability_diagram
from tl_keras.evaluation.confidence.wording import describe_confidence
from tl_keras.evaluation.detection_mistakes import MISTAKES
from tl_keras.evaluation.formatting import format_number, metric_label
from tl_keras.evaluation.intervals import MEANING
from tl_keras.evaluation.result_tables import compare_rows, notes_on_test, result_rows
from tl_keras.evaluation.templates import load_template
from tl_keras.evaluation.tiles import Tile
from tl_keras.system.atomic_files import write_text

MAX_SKIPPED_FILES = 200
"""Maximum number of skipped files to list; further ones are only counted."""


@dataclass(frozen=True)
class ReportExamples:
    """Holds the examples that a report shows; without any of a kind its section is left out."""

    counts: dict | None = None
    """`splits`, names of the splits, and `rows`, pairs of a class and its numbers of examples in them."""
    sheet: tuple[Tile, ...] = ()
    """Training examples as the network sees them."""
    sheet_note: str = ""
    """A sentence on how they were chosen and changed."""
    worst: tuple[Tile, ...] = ()
    """The most confident mistakes."""
    by_class: tuple[tuple[str, tuple[Tile, ...], tuple[Tile, ...]], ...] = ()
    """(class, typical examples, wrong ones)."""


NO_EXAMPLES = ReportExamples()


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
    facts=(),
    decisions=(),
    suspicious=(),
    confidence=None,
    examples=NO_EXAMPLES,
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
        notes: list of sentences on the data.
        facts: list of (label, text) on the run, such as its "Command".
        decisions: list of sentences on what was decided in training.
        suspicious: list of sentences on labels that are probably wrong.
        confidence: tuple of bool (n,), which of the test predictions of a classifier are correct, and float (n,), their
            probabilities; None draws no diagrams. What `metrics["confidence"]` says is written above them.
        examples: `ReportExamples`.

    Raises:
        FileNotFoundError: a plot does not exist.
    """
    matrix, known = metrics.get("confusion_matrix"), metrics.get("confidence") or {}
    page = load_template("report.html.jinja", number=format_number, counted=counted).render(
        title=title,
        headlines=result_rows(metrics),
        interval_meaning=MEANING if metrics.get("intervals") else "",
        calibration=describe_calibration(metrics),
        tested=notes_on_test(metrics),
        comparison=compare_rows(metrics, baselines),
        verdict=verdict,
        mistakes=mistakes,
        notes=notes,
        facts=facts,
        decisions=decisions,
        suspicious=suspicious,
        reliability=reliability_diagram(*confidence) if confidence else None,
        coverage=coverage_diagram(*confidence, known.get("min_confidence")) if confidence else None,
        confidence_sentences=describe_confidence(known),
        **vars(examples),
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
    # Names of files need not be UTF-8.
    write_text(Path(path), page.encode("utf-8", "replace").decode("utf-8"))


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
