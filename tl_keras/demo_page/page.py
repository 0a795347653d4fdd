"""The page: one input, and the answers of all runs side by side. Loads Gradio."""

import functools

import gradio

from tl_keras.data.images.decoding import DAMAGE
from tl_keras.demo_page.answers import answer, explain_object
from tl_keras.demo_page.examples import find_examples
from tl_keras.demo_page.forged_requests import FORGED, refuse_forged_values, require_upload
from tl_keras.errors import InputError

TOP_CLASSES = 5
MIN_WIDTH = 240
"""Width of a column in pixels, below which the next one moves under it."""
OBJECT_COLUMNS = ["class", "score", "left", "top", "right", "bottom"]


def build_page(runs):
    """Builds the page.

    Args:
        runs: list of `TrainedRun` that take the same kind of input.

    Returns:
        `gradio.Blocks`, which answers once the input changes.
    """
    title = ", ".join(run.folder.name for run in runs)
    with gradio.Blocks(title=title, analytics_enabled=False, fill_width=True) as page:
        with gradio.Row():
            with gradio.Column(min_width=MIN_WIDTH) as left:
                inputs = _add_inputs(runs[0])
                ask = gradio.Button("Predict", variant="primary")
            columns = [_add_outputs(run) for run in runs]
        outputs = [component for column in columns for component in column]
        for run, column in zip(runs, columns, strict=True):
            _explain_chosen_rows(run, inputs, column)

        def answer_all(*values):
            return [shown for run in runs for shown in answer_with(run, values)]

        ask.click(answer_all, inputs, outputs, api_name="predict")
        if runs[0].task.takes_texts:
            inputs[-1].submit(answer_all, inputs, outputs, api_name=False)
        else:
            inputs[0].change(answer_all, inputs, outputs, api_name=False)
        with left:
            _add_examples(runs[0], inputs, outputs, answer_all)
    refuse_forged_values(page)
    return page


def _add_inputs(run):
    if not run.task.takes_texts:
        # The file itself, so that it is read as in training.
        sources = ["upload", "webcam", "clipboard"]
        image = gradio.Image(label="Image", type="filepath", image_mode=None, sources=sources, buttons=[], height=300)
        image.preprocess = functools.partial(_path_of_upload, image.preprocess)
        return [image]
    labels = ["First text", "Second text"] if run.config.text.second_text_column else ["Text"]
    return [gradio.Textbox(label=label, lines=3) for label in labels]


def _path_of_upload(preprocess, payload):
    """Returns the path of an upload, also of one that Gradio cannot read: the run reports it in one sentence."""
    if payload is not None and payload.path:
        require_upload(payload.path)
    try:
        return preprocess(payload)
    except DAMAGE:
        return payload.path


def _add_outputs(run):
    """Adds a column for a run, and returns its components in the order of `answer_with`."""
    name = run.folder.name
    with gradio.Column(min_width=MIN_WIDTH):
        if not run.task.gives_probabilities:
            prediction = gradio.Dataframe(headers=OBJECT_COLUMNS, label=f"{name}: detections", interactive=False)
        else:
            prediction = gradio.Label(label=f"{name}: probabilities", num_top_classes=TOP_CLASSES)
        if run.task.takes_texts:
            shown = gradio.HighlightedText(label=f"{name}: words", show_legend=False, interactive=False)
        else:
            shown = gradio.Image(label=f"{name}: where", format="png", interactive=False, buttons=["fullscreen"])
        return [prediction, shown, gradio.Textbox(label=f"{name}: note", interactive=False)]


def _explain_chosen_rows(run, inputs, column):
    """Makes a click on a row of detections show the part of the image that made it."""
    if run.task.gives_probabilities:
        return
    table, *shown = column

    def explain(path, event: gradio.SelectData):
        return explain_with(run, path, event.row_value)

    table.select(explain, inputs, shown, api_name=False)


def explain_with(run, path, row):
    """Explains a detection, for the outputs of a run.

    Args:
        run: `TrainedRun` that detects objects.
        path: path of an image; None where nothing was put in.
        row: the row of the table, as the page sends it.

    Returns:
        Tuple of the drawn image and a note.

    Raises:
        gradio.Error: the table lacks the row, or the image cannot be read; the page shows the sentence.
    """
    if not path:
        return None, ""
    try:
        name, *numbers = row
        found = explain_object(run, path, [name, *map(float, numbers)])
    except (TypeError, ValueError) as error:
        # An `InputError` is a `ValueError`, too.
        raise gradio.Error(str(error) if isinstance(error, InputError) else FORGED, print_exception=False) from error
    return found.image, found.note


def answer_with(run, values):
    """Predicts what was put in, for the outputs of a run.

    Args:
        run: `TrainedRun`.
        values: path of an image, or one or two texts; None or "" where nothing was put in.

    Returns:
        Tuple of the prediction, the drawn image or the words, and a note.

    Raises:
        gradio.Error: the input cannot be read; the page shows the sentence.
    """
    if not all(values):
        return None, None, ""
    example = values[0] if len(values) == 1 else tuple(values)
    try:
        found = answer(run, example)
    except InputError as error:
        raise gradio.Error(str(error), print_exception=False) from error
    prediction = found.probabilities if run.task.gives_probabilities else found.objects
    return prediction, found.words if run.task.takes_texts else found.image, found.note


def _add_examples(run, inputs, outputs, answer_all):
    """Adds test examples of the first run, with their labels, if there are any."""
    found = find_examples(run)
    if not found:
        return
    label = gradio.Textbox(label="label in the data", visible=False)
    rows = [[*(one.value if isinstance(one.value, tuple) else [one.value]), one.label] for one in found]
    gradio.Examples(
        rows,
        [*inputs, label],
        outputs,
        lambda *values: answer_all(*values[: len(inputs)]),
        label=f"Test examples of {run.folder.name}",
        run_on_click=run.task.takes_texts,
        cache_examples=False,
    )
