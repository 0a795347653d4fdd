"""Page of a comparison: a single self-contained HTML file, in the style of the report of a run."""

from pathlib import Path

from tl_keras.evaluation.report import data_uri
from tl_keras.evaluation.templates import load_template
from tl_keras.system.atomic_files import write_text


def write_comparison_page(path, *, title, verdict, lines, plots, tables, notes, versions):
    """Writes a self-contained HTML page, without scripts and with embedded plots.

    Args:
        path: the HTML file to write.
        title: str, the heading.
        verdict: str, the sentence that matters most.
        lines: list of further sentences.
        plots: list of (caption, path of an image file).
        tables: list of (heading, explanation, rows); rows are lists of str, the first is the head.
        notes: list of sentences on the data.
        versions: dict from package name to version.
    """
    page = load_template("comparison.html.jinja").render(
        title=title,
        verdict=verdict,
        lines=lines,
        plots=[(caption, data_uri(plot)) for caption, plot in plots],
        tables=tables,
        notes=notes,
        versions=versions,
    )
    write_text(Path(path), page)
