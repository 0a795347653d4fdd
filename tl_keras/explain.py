"""Shows what a prediction rests on: `python -m tl_keras.explain RUN FILE_OR_FOLDER_OR_TEXT ...`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from tqdm import tqdm

from tl_keras import data, explanation
from tl_keras.cli.output_files import refuse_inputs, refuse_other_images
from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.errors import InputError, counted
from tl_keras.runs.opening import new_folder
from tl_keras.runs.result_folders import open_output_folder, run_origin
from tl_keras.runs.run_folder import folder_name
from tl_keras.runs.trained_run import load_run
from tl_keras.tasks.base import PredictionOptions

DESCRIPTION = """For images, the parts that raise the score of the class, drawn beside each image; for a detector, those
that made each of the most confident boxes. For texts, integrated gradients: a page with the share of each word in the
probability of the class."""


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    options = _make_parser().parse_args(arguments)
    run = load_run(options.run)
    run.explanation_options(options.class_name, options.max_boxes)
    items = run.task.find_items(run.config, options.items, PredictionOptions())
    explained, problems = [], []
    output = options.output or new_folder(f"{folder_name(str(run.folder))}-explained")
    names, results = _result_names(items), (explanation.PAGE, explanation.RECORDS)
    refuse_inputs(output, names, items, "--output")
    with open_output_folder(output, {"verb": "explain"} | run_origin(run), ["*.png", *results]) as folder:
        refuse_other_images(folder, names, "--output", results)
        for item in tqdm(items, disable=None):
            example = getattr(item, "text", item)
            try:
                if example is item:
                    data.check_image_file(item)
                explained += [(example, one) for one in run.explain([example], options.class_name, options.max_boxes)]
            except data.BadImage as error:
                problems.append(f"{data.printable(item)} ({error.reason})")
                explained.append((example, None))
        if len(problems) < len(items):
            for name in names:
                (folder / name).unlink(missing_ok=True)
            _write(explained, f"Explanations of {run.folder.name}", folder, run.class_names)
    if problems:
        raise InputError(
            f"{len(problems)} of {counted(len(items), 'file')} could not be read: {data.first_of(problems)}."
        )


def _result_names(items):
    """Names the files that an explanation of the items writes."""
    is_text = hasattr(items[0], "text")
    plots = [explanation.name_plot(number, item) for number, item in enumerate(items, start=1) if not is_text]
    return [*(plots or [explanation.PAGE]), explanation.RECORDS]


def _write(explained, title, folder, class_names):
    lines, paths = explanation.write_explanations(explained, title, folder, class_names)
    print("\n".join([*lines, "", *(f"  {path}" for path in paths)]))


def _make_parser():
    parser = OneSentenceParser(prog="python -m tl_keras.explain", description=DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "items",
        metavar="FILE_OR_FOLDER_OR_TEXT",
        nargs="+",
        help="image files, or folders of them; for a run on texts: texts in quotes, tables or files of lines",
    )
    parser.add_argument("--class", metavar="NAME", dest="class_name", help="class to explain (default: the predicted)")
    parser.add_argument(
        "--max_boxes", metavar="N", type=int, help="detections of an image to explain, the most confident (default: 3)"
    )
    parser.add_argument("--output", metavar="FOLDER", help="folder of the results (default: a new one in runs)")
    return parser


if __name__ == "__main__":
    run_verb(main)
