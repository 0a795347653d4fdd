"""The model card: what whoever finds the model file later must know about it."""

from pathlib import Path

import jinja2

from tl_keras.evaluation.formatting import format_metric, format_number, metric_label, scalar_metrics

EXPORTED = "saved_model"
"""Name of the folder of a detector that needs neither Keras nor this project."""
READERS = {
    "squash": "image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)",
    "crop": "ImageOps.fit(image, size, Image.Resampling.BILINEAR)",
    "pad": 'ImageOps.pad(image, size, Image.Resampling.BILINEAR, color="white")',
}
"""How Pillow brings an image to the size of the model, for each way of resizing that the model was trained with."""


def write_model_card(
    path,
    *,
    title,
    model,
    data,
    metrics,
    class_names,
    image_size=None,
    resize="squash",
    finds_boxes=False,
    pairs=False,
    multi_label=False,
    model_file="model.keras",
    limits=(),
):
    """Writes a Markdown model card for a classifier of images or texts, or for a detector.

    Args:
        path: the Markdown file to write.
        title: str, the heading.
        model: dict of facts about the model, label to str, number or None, such as {"Backbone": "vgg16"}.
        data: dict of facts about the data, likewise, such as {"Training examples": 1200}.
        metrics: dict, such as `classification_metrics` returns; measured on the test split.
        class_names: sequence of str, in the order of the model's outputs.
        image_size: int, the side of the square image that the model takes; None: it takes texts.
        resize: "squash", "crop" or "pad", how images were brought to that size.
        finds_boxes: whether it is a detector, which lies in the folder `EXPORTED` beside the card.
        pairs: whether the model takes two texts.
        multi_label: whether an example may belong to several classes.
        model_file: name of the model file, as it lies next to the card.
        limits: further sentences on what the model must not be trusted with; the general ones are always there.
    """
    card = _template().render(
        title=title,
        model=model,
        data=data,
        metrics=[(metric_label(name), format_metric(name, value)) for name, value in scalar_metrics(metrics).items()],
        weakest=_weakest(metrics.get("per_class", {})),
        class_names=class_names,
        image_size=image_size,
        resize_call=READERS[resize],
        finds_boxes=finds_boxes,
        exported=EXPORTED,
        score_threshold=round(metrics.get("score_threshold", 0.5), 3),
        pairs=pairs,
        multi_label=multi_label,
        model_file=model_file,
        limits=limits,
    )
    Path(path).write_text(card, encoding="utf-8")


def _template():
    # Markdown, not HTML: the `cell` filter guards the tables, and nothing else is interpreted.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template("model_card.md.jinja")


def _cell(value):
    """Writes a value so that it cannot break out of its table cell or pass for markup."""
    text = " ".join(format_number(value).split())
    for special in "\\|<[*`":
        text = text.replace(special, "\\" + special)
    return text


def _weakest(per_class, count=3):
    tested = [(name, scores["recall"]) for name, scores in per_class.items() if scores["support"]]
    return [(name, f"{100 * recall:.0f} %") for name, recall in sorted(tested, key=lambda item: item[1])[:count]]
