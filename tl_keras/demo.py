"""Shows finished runs on a page of this machine: `python -m tl_keras.demo RUN [RUN ...]`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.demo_page.serving import DEFAULT_PORT, check_port, require_gradio, serve
from tl_keras.errors import InputError
from tl_keras.runs.trained_run import load_run


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(
        prog="python -m tl_keras.demo",
        description="Opens a page on this machine to try finished runs: drop an image, use the camera or type a text. "
        "Nothing leaves the machine.",
    )
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="run folder of a finished training; several are shown side by side"
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port of the page (default: {DEFAULT_PORT})")
    options = parser.parse_args(arguments)
    check_port(options.port)
    require_gradio()
    runs = [load_run(folder) for folder in options.runs]
    check_same_input(runs)
    serve(runs, options.port)


def check_same_input(runs):
    """Refuses runs that cannot share an input.

    Args:
        runs: list of `TrainedRun`.

    Raises:
        InputError: names a run on images and one on texts, or one on texts and one on pairs of texts.
    """
    first, *others = runs
    for other in others:
        if _input_kind(other) != _input_kind(first):
            raise InputError(
                f"The run in {str(first.folder)!r} takes {_input_kind(first)}, that in {str(other.folder)!r} takes "
                f"{_input_kind(other)}: start a demo for each, with another --port."
            )


def _input_kind(run):
    if not run.task.takes_texts:
        return "images"
    return "pairs of texts" if run.config.text.second_text_column else "texts"


if __name__ == "__main__":
    run_verb(main)
