"""Model card: the facts about a model file for its later users."""

import re
from pathlib import Path

from tl_keras.evaluation.cards.front_matter import front_matter
from tl_keras.evaluation.confidence.calibration import describe_calibration
from tl_keras.evaluation.confidence.score_threshold import DEFAULT_THRESHOLD, format_threshold
from tl_keras.evaluation.confidence.wording import describe_confidence
from tl_keras.evaluation.formatting import format_number
from tl_keras.evaluation.intervals import MEANING, wilson_interval
from tl_keras.evaluation.result_tables import compare_rows, notes_on_test, result_rows
from tl_keras.evaluation.templates import load_template
from tl_keras.system.atomic_files import write_text
from tl_keras.system.escaping import for_lines

EXPORTED = "saved_model"
"""Folder name of an exported detector, which needs neither Keras nor this package."""
ACTIVE = r"@|://|www\.|[$~]|#\d"
"""What makes hubs of models turn a word into a mention, a link, a formula or struck-out text."""


def write_model_card(
    path,
    *,
    title,
    model,
    data,
    metrics,
    class_names,
    image_size=None,
    resize_call="",
    finds_boxes=False,
    pairs=False,
    multi_label=False,
    model_file="model.keras",
    summary="",
    limits=(),
    baselines=(),
    verdict=(),
    kind="",
    data_name="data",
):
    """Writes a Markdown model card of an image classifier, a text classifier or a detector.

    Args:
        path: the Markdown file to write.
        title: str, the heading of the card.
        model: dict of facts about the model, label to str, number or None, such as {"Backbone": "vgg16"}.
        data: dict of facts about the data, of the same form, such as {"Training examples": 1200}.
        metrics: dict of metrics on the test split, such as `classification_metrics` returns.
        class_names: sequence of str, in the order of the model's outputs.
        image_size: int, side of the square input image in pixels; None for a text classifier.
        resize_call: Python expression that makes the Pillow image `image` a square of `size` as in training; needed
            with `image_size`.
        finds_boxes: bool, True for a detector, exported to the folder `EXPORTED` beside the card.
        pairs: bool, True if the model takes pairs of texts.
        multi_label: bool, True if an example may belong to several classes.
        model_file: name of the model file beside the card.
        summary: sentences on the model and its inputs, for a model of another kind; they replace those on classifiers
            and detectors.
        limits: sequence of sentences on further limits of the model, added to the general ones.
        baselines: sequence of dicts of metrics to compare with, as in `write_report`.
        verdict: sequence of sentences on the comparison.
        kind: kind of the task for the Hugging Face Hub, such as "image-classification".
        data_name: name of the data for it.
    """
    card = load_template("model_card.md.jinja", cell=_cell).render(
        title=title,
        model=model,
        data=data,
        metrics=result_rows(metrics),
        explanations=[
            *map(_cell, notes_on_test(metrics)),
            MEANING if metrics.get("intervals") else "",
            describe_calibration(metrics),
            *describe_confidence(metrics.get("confidence") or {}),
        ],
        comparison=compare_rows(metrics, baselines),
        verdict=verdict,
        weakest=_weakest(metrics.get("per_class", {})),
        class_names=class_names,
        image_size=image_size,
        resize_call=resize_call,
        finds_boxes=finds_boxes,
        exported=EXPORTED,
        score_threshold=format_threshold(metrics.get("score_threshold", DEFAULT_THRESHOLD)),
        pairs=pairs,
        multi_label=multi_label,
        model_file=model_file,
        summary=summary,
        limits=limits,
    )
    # People read it in a terminal, too.
    write_text(Path(path), for_lines(f"{front_matter(title, kind, data_name, metrics)}\n{card}"))


def _cell(value):
    """Escapes a value, so that it neither ends its table cell nor becomes markup, a link or a mention of somebody."""
    return " ".join(map(_word, format_number(value).split()))


def _word(word):
    if re.search(ACTIVE, word, re.IGNORECASE):
        # Hubs link these words even after a backslash, but not in code.
        fence = "`" * (1 + max(map(len, re.findall("`+", word)), default=0))
        padding = " " if "`" in word else ""
        return f"{fence}{padding}{word}{padding}{fence}".replace("|", "\\|")
    for special in "\\|<[*`":
        word = word.replace(special, "\\" + special)
    return word


def _weakest(per_class, count=3):
    tested = [(scores["recall"], scores["support"], name) for name, scores in per_class.items() if scores["support"]]
    weakest = sorted(tested, key=lambda item: item[0])[:count]
    return [(name, f"{100 * recall:.0f} %, {_interval(recall, support)}") for recall, support, name in weakest]


def _interval(share, count):
    low, high = wilson_interval(share, count)
    return f"{100 * low:.0f} to {100 * high:.0f} %"
