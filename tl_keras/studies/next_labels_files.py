"""Writes the examples to label next: as tables, for Label Studio, and as a contact sheet."""

import csv
import json
from urllib.parse import quote

import numpy as np

from tl_keras import data, evaluation, probing
from tl_keras.errors import counted
from tl_keras.system.atomic_files import write_text
from tl_keras.system.csv_files import open_csv
from tl_keras.system.escaping import csv_cell
from tl_keras.system.json_files import format_line

ON_SHEET = 64
"""Images on the contact sheet."""
SHOWN = 10
"""Examples and files in the terminal."""
LOCAL_FILES = "/data/local-files/?d="
"""Address at which Label Studio serves files below its document root."""


def write_next_labels(chosen, config, folder):
    """Writes `next.csv`, `next.jsonl`, `label_studio.json` and, for images, the contact sheet `next.png`.

    Args:
        chosen: `NextLabels`.
        config: `RunConfig`.
        folder: `pathlib.Path` of the folder, created if missing.

    Returns:
        List of the `pathlib.Path` of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = list_rows(chosen, config)
    paths = [folder / name for name in ("next.csv", "next.jsonl", "label_studio.json")]
    with open_csv(paths[0]) as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([csv_cell(str(cell)) for cell in row.values()] for row in rows)
    write_text(paths[1], "".join(map(format_line, rows)))
    write_text(paths[2], json.dumps(_tasks(rows, config), indent=1) + "\n")
    (folder / "next.png").unlink(missing_ok=True)
    if chosen.images:
        shown = evaluation.shown_names(chosen.class_names) | {"": ""}
        captions = [(row[config.data.path_column], shown[row.get("suggested", "")]) for row in rows[:ON_SHEET]]
        evaluation.plot_contact_sheet(chosen.images[:ON_SHEET], captions, folder / "next.png")
        paths.append(folder / "next.png")
    return paths


def list_rows(chosen, config):
    """Lists the chosen examples as rows of a table to fill in.

    Args:
        chosen: `NextLabels`.
        config: `RunConfig`.

    Returns:
        List of dicts with what names the example, an empty label, `rank` from 1, and where labels are known
        `uncertainty`, `suggested` and `probability`.
    """
    label = config.data.label_column
    rows = [
        name_example(config, name, source) | {label: "", "rank": rank}
        for rank, (name, source) in enumerate(zip(chosen.records.names, chosen.records.sources, strict=True), start=1)
    ]
    if chosen.probabilities is not None:
        best, uncertainties = chosen.probabilities.argmax(axis=1), probing.uncertainty(chosen.probabilities)
        for row, one, probabilities, uncertainty in zip(rows, best, chosen.probabilities, uncertainties, strict=True):
            row |= {"uncertainty": round(float(uncertainty), 4), "suggested": chosen.class_names[one]}
            row |= {"probability": round(float(probabilities[one]), 4)}
    return rows


def name_example(config, name, source):
    """Returns what names an example in a table, a dict from column to value.

    Args:
        config: `RunConfig`.
        name: name of the example in its `Records`.
        source: its source: path or encoded image, str, or tuple of two str.
    """
    cells = source if isinstance(source, tuple) else (source,)
    return dict(zip(example_columns(config), cells if "text" in config.task else (name,), strict=True))


def example_columns(config):
    """Lists the columns that name an example: that of the paths of images, or of one or two texts.

    Args:
        config: `RunConfig`.
    """
    if "text" not in config.task:
        return [config.data.path_column]
    return [column for column in (config.text.text_column, config.text.second_text_column) if column is not None]


def _tasks(rows, config):
    """Returns tasks of Label Studio, whose order by the score of their predictions is that of the rows."""
    is_image = "text" not in config.task
    names = [name for name in rows[0] if name not in ("rank", "uncertainty", "probability", "suggested")]
    tasks = []
    for place, row in enumerate(rows):
        shown = {name: row[name] for name in names if name != config.data.label_column}
        address = {"image": LOCAL_FILES + quote(row[config.data.path_column])} if is_image else {}
        choice = {
            "from_name": "choice",
            "to_name": "image" if is_image else "text",
            "type": "choices",
            "value": {"choices": [row.get("suggested")]},
        }
        score = round(1 - place / len(rows), 4)
        prediction = {"model_version": "tl_keras", "score": score, "result": [choice] if "suggested" in row else []}
        tasks.append({"data": address | shown, "predictions": [prediction]})
    return tasks


def summary_lines(chosen):
    """Returns what a user reads in the terminal, a list of lines.

    Args:
        chosen: `NextLabels`.
    """
    way = (
        "diverse and uncertain" if chosen.probabilities is not None else "typical of clusters, since no label is known"
    )
    lines = [
        f"{len(chosen.records)} of {counted(chosen.pool_size, 'example')} to label next, {way}; nothing was copied:"
    ]
    if chosen.probabilities is not None:
        counts = np.bincount(chosen.probabilities.argmax(axis=1), minlength=len(chosen.class_names))
        named = [f"{name} {count}" for name, count in zip(chosen.class_names, counts, strict=True) if count]
        lines.append(f"  probably {data.first_of(named, SHOWN)}")
        if chosen.images:
            lines += [f"  {line}" for line in evaluation.legend_lines(chosen.class_names)]
    if chosen.labelled:
        lines.append(f"  {chosen.labelled} of the pool are labelled already or equal others")
    if chosen.skipped:
        shown = data.first_of([f"{name} ({reason})" for name, reason in chosen.skipped], SHOWN)
        lines.append(f"  {counted(len(chosen.skipped), 'file')} left out, which cannot be read: {shown}")
    return lines
