"""Files of explanations: plots or a page for people, and JSON for programs."""

import json
from dataclasses import replace
from importlib.metadata import version

from tl_keras.data.wording import printable
from tl_keras.evaluation.fonts import legend_lines, shown_names
from tl_keras.evaluation.templates import load_template
from tl_keras.explanation.detections import DetectionExplanation
from tl_keras.explanation.explanations import TextExplanation
from tl_keras.explanation.file_names import PAGE, RECORDS, name_plot
from tl_keras.explanation.heat_maps import caption, plot_heat_map
from tl_keras.system.atomic_files import write_text

TOP_WORDS = 5
"""Words in the terminal."""
MAX_OPACITY = 70


def write_explanations(explained, title, folder, class_names=()):
    """Writes a plot for each image or a page of all texts, and `explanations.json`.

    Args:
        explained: list of (name, explanation); the name is the path of an image, or a text. The explanation is None for
            a file that could not be read.
        title: str, heading of the page.
        folder: `pathlib.Path` of an existing folder.
        class_names: names of the classes; plots show numbers for those that no font can draw.

    Returns:
        Tuple of a list of the lines to print and of a list of the `pathlib.Path` of the files written.
    """
    paths, records, lines = [], [], []
    shown = shown_names(class_names)
    for number, (name, explanation) in enumerate(explained, start=1):
        if explanation is None:
            continue
        record = {"item": name, "method": explanation.method, **_numbers(explanation)}
        if isinstance(explanation, TextExplanation):
            lines += [f"{caption(explanation)}: {_top_words(explanation)}", *explanation.warnings]
        else:
            paths.append(folder / name_plot(number, name))
            plot_heat_map(_renamed(explanation, shown), paths[-1])
            record["plot"] = paths[-1].name
            lines.append(f"{printable(name)}: {caption(explanation)}")
        records.append(record)
    if paths:
        lines += legend_lines(class_names)
    else:
        paths.append(folder / PAGE)
        write_text(paths[-1], _page([explanation for _, explanation in explained], title))
    paths.append(folder / RECORDS)
    # Names of files need not be UTF-8; JSON escapes what is not.
    write_text(paths[-1], json.dumps(records, indent=1) + "\n")
    return lines, paths


def _renamed(explanation, names):
    """Replaces the names of the classes in the explanation of an image."""
    if isinstance(explanation, DetectionExplanation):
        found = [replace(one, class_name=names.get(one.class_name, one.class_name)) for one in explanation.detections]
        return replace(explanation, detections=found)
    predicted, explained = (names.get(name, name) for name in (explanation.predicted, explanation.class_name))
    return replace(explanation, predicted=predicted, class_name=explained)


def _numbers(explanation):
    """Returns what `explanations.json` says about an explanation, a dict."""
    if isinstance(explanation, DetectionExplanation):
        return {
            "detections": [
                {
                    "class": one.class_name,
                    "score": one.score,
                    "box": [round(side, 2) for side in one.box],
                    "heat_map": _rounded(one.heat_map),
                }
                for one in explanation.detections
            ]
        }
    numbers = {
        "predicted": explanation.predicted,
        "probability": explanation.probability,
        "class": explanation.class_name,
        "class_probability": explanation.class_probability,
    }
    if not isinstance(explanation, TextExplanation):
        return numbers | {"heat_map": _rounded(explanation.heat_map)}
    return numbers | {
        "words": [[word, round(value, 5)] for word, value in explanation.words],
        "baseline_probability": explanation.baseline_probability,
        "gap": explanation.gap,
        "is_complete": explanation.is_complete,
    }


def _rounded(heat_map):
    return heat_map.astype(float).round(4).tolist()


def _top_words(explanation):
    words = sorted(explanation.words, key=lambda pair: -abs(pair[1]))[:TOP_WORDS]
    return ", ".join(f"{word} {value:+.3f}" for word, value in words)


def _page(explanations, title):
    versions = {name: version(name) for name in ("tensorflow", "keras")}
    return load_template("explanations.html.jinja").render(
        title=title, texts=list(map(_shown, explanations)), versions=versions
    )


def shade_words(words):
    """Computes how strongly a page colours words.

    Args:
        words: list of (word, attribution).

    Returns:
        List of (word, attribution, opacity in per cent), the largest attribution with `MAX_OPACITY`.
    """
    largest = max((abs(value) for _, value in words), default=0) or 1
    return [(word, value, round(MAX_OPACITY * abs(value) / largest)) for word, value in words]


def _shown(explanation):
    words = shade_words(explanation.words)
    total = sum(value for _, value in explanation.words)
    note = (
        f"The attributions sum to {total:+.3f}: the probability of {explanation.class_name} is "
        f"{explanation.class_probability:.3f}, and {explanation.baseline_probability:.3f} without words. Largest: "
        f"{_top_words(explanation)}."
    )
    return {"caption": caption(explanation), "words": words, "note": " ".join([note, *explanation.warnings])}
