"""Labels new images or texts, or detects objects: `python -m tl_keras.predict RUN FILE_OR_FOLDER_OR_TEXT ...`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


import sys
from dataclasses import fields, replace

from tqdm import tqdm

from tl_keras import data
from tl_keras.cli.annotated_images import AnnotatedImages
from tl_keras.cli.former_predictions import record_file, refuse_other_file
from tl_keras.cli.output_files import PARQUET, choose_format, open_output, refuse_input
from tl_keras.cli.prediction_parts import parse_shard, predict_parts
from tl_keras.cli.verbs import OneOfTwoNames, OneSentenceParser, run_verb
from tl_keras.errors import InputError, counted
from tl_keras.runs.trained_run import load_run
from tl_keras.system.escaping import for_terminal
from tl_keras.tasks.base import PredictionOptions
from tl_keras.tasks.label_writers import TOP
from tl_keras.tasks.registry import TASKS
from tl_keras.tasks.unsure import parse_confidence

WRONG_TASK = {
    "files": "--files is for runs on texts: leave it out.",
    "path_column": "--path_column is for runs on images: leave it out.",
    "text_column": "--text_column is for runs on texts: leave it out.",
    "second_text_column": "--second_text_column is for runs on texts: leave it out.",
    "top": "--top is for runs that classify: give --score_threshold for runs on boxes.",
    "min_confidence": "--min_confidence is for runs that classify: give --score_threshold for runs on boxes.",
    "score_threshold": "--score_threshold is for runs on boxes: leave it out.",
    "annotated": "--annotated is for runs on boxes: leave it out.",
}
"""Errors for options that the task of a run does not use."""

COLUMN_FLAGS = (
    ("--path_column", "--data.path_column", "paths of images"),
    ("--text_column", "--text.text_column", "texts"),
    ("--second_text_column", "--text.second_text_column", "second texts of pairs"),
)
"""Flags of columns, as they may also be given in training, and what the columns hold."""


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parsed = _parse(arguments)
    number, count = shard = parse_shard(parsed.shard)
    if parsed.min_confidence is not None:
        parsed.min_confidence = parse_confidence(parsed.min_confidence)
    run = load_run(parsed.run)
    parsed.format = choose_format(parsed.format, parsed.output, {*run.task.writers, PARQUET})
    options = PredictionOptions(**{field.name: getattr(parsed, field.name) for field in fields(PredictionOptions)})
    check_options(options, run.task)
    if options.min_confidence is not None:
        options = replace(options, min_confidence=run.find_min_confidence(options.min_confidence))
    items = run.task.find_items(run.config, parsed.items, options)
    read = [*parsed.items, *(item for item in items if isinstance(item, str)), run.config.data.path]
    refuse_input(parsed.output, read)
    refuse_other_file(parsed.output, parsed.format, run)
    annotated = AnnotatedImages(run, options.annotated, items) if options.annotated else None
    items = items[number - 1 :: count]
    if parsed.format == PARQUET:
        bad = predict_parts(run, items, options, parsed.output, shard, annotated)
        _print_places(len(items) - bad, parsed.output, options.annotated)
        if bad:
            raise InputError(f"{bad} of {counted(len(items), 'file')} could not be read: see the column `problem`.")
        return
    _predict_file(run, items, options, parsed.output, annotated)


def _predict_file(run, items, options, output, annotated):
    """Predicts items into a file, or into the standard output if `output` is None."""
    predictions, predicted, problems, num_boxes = run.predict_items(items, options), [], [], 0
    finds_boxes = "score_threshold" in run.task.prediction_options
    with open_output(output) as stream, run.task.open_writer(run, stream, options) as write:
        for item, prediction, problem in tqdm(predictions, total=len(items), disable=None):
            if problem:
                problems.append(f"{data.printable(item)} ({problem})")
                continue
            write(item, prediction)
            num_boxes += len(prediction) if finds_boxes else 0
            if annotated:
                predicted.append((item, prediction))
    record_file(output, run)
    # The table has its place by now, so that a disk which the images fill does not lose it.
    if annotated:
        annotated.remove(items)
        annotated.draw_all(predicted)
    count = len(items) - len(problems)
    boxes = f"{counted(num_boxes, 'box', 'boxes')} in " if finds_boxes else ""
    _print_places(count, output, options.annotated, boxes)
    if problems:
        raise InputError(
            f"{len(problems)} of {counted(len(items), 'file')} could not be read: {data.first_of(problems)}."
        )


def check_options(options, task):
    """Refuses options that the task does not use, and numbers out of range.

    Args:
        options: `PredictionOptions`.
        task: `Task` of the run.

    Raises:
        InputError: names the option.
    """
    for name, message in WRONG_TASK.items():
        if getattr(options, name) is not None and name not in task.prediction_options:
            raise InputError(message)
    if options.top is not None and options.top < 1:
        raise InputError(f"--top must be at least 1: got {options.top}.")
    if options.score_threshold is not None and not 0 <= options.score_threshold <= 1:
        raise InputError(f"--score_threshold must lie from 0 to 1: got {options.score_threshold}.")


def _print_places(count, output, annotated, boxes=""):
    """Prints what was written where, if anything; to the standard error, as the output may hold the predictions."""
    predicted = f"{boxes}{counted(count, 'image')}" if boxes else count
    for what, place in ((f"predictions: {predicted}", output), (f"annotated images: {count}", annotated)):
        if place is not None:
            print(for_terminal(f"{what} written to {place}"), file=sys.stderr)


def _parse(arguments):
    parser = OneSentenceParser(
        prog="python -m tl_keras.predict", description="Labels new images or texts, or detects objects."
    )
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "items",
        metavar="FILE_OR_FOLDER_OR_TEXT",
        nargs="+",
        help="image files, folders of them, or tables of their paths; for a run on texts: texts, tables, folders of "
        '.txt files with a text each, other files with a text in each line, or "-" for the lines of the standard input',
    )
    parser.add_argument(
        "--files", action="store_true", default=None, help="all arguments are files or folders, and none is a text"
    )
    for *flags, content in COLUMN_FLAGS:
        described = f"column of the {content} in tables (default: as trained)"
        parser.add_argument(*flags, action=OneOfTwoNames, metavar="COLUMN", help=described)
    formats = sorted({name for task in TASKS.values() for name in task.writers})
    parser.add_argument(
        "--format",
        choices=[*formats, PARQUET],
        help="output format (default: by the suffix of --output, or table); parquet writes a folder of files, and the "
        "same command completes it when interrupted",
    )
    parser.add_argument("--output", metavar="FILE", help="write to a file, or for parquet to a folder")
    parser.add_argument("--shard", metavar="K/N", help="predict only every N-th item from the K-th on, as in 3/16")
    parser.add_argument("--top", type=int, help=f"classes to name for each file or text (default: {TOP})")
    parser.add_argument(
        "--min_confidence",
        metavar="P",
        help="call files or texts unsure whose most probable class has a lower probability; auto takes what the run "
        "recommends",
    )
    parser.add_argument(
        "--score_threshold", type=float, help="lowest score of a detection that is shown (default: that of the run)"
    )
    parser.add_argument("--annotated", metavar="FOLDER", help="draw the detections into copies of the images there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run_verb(main)
