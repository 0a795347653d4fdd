"""Exports a finished run to other formats: `python -m tl_keras.export RUN --format FORMAT`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.exporting.formats import ALL, FORMATS, choose_exports
from tl_keras.runs.exports import export_run
from tl_keras.runs.trained_run import load_run


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(
        prog="python -m tl_keras.export",
        description="Exports a finished run, with preprocessing and class names inside. Each export is opened in its "
        "own runtime, compared with the model, and measured on the test data of the run.",
    )
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument("--format", default=ALL, help=f"{', '.join(FORMATS)} or {ALL} (the default)")
    parser.add_argument(
        "--quantize", metavar="KIND", help="float16, bfloat16 or int8: a smaller export, measured beside the plain one"
    )
    parser.add_argument("--output", metavar="FOLDER", help="folder to write to (default: exports in the run folder)")
    options = parser.parse_args(arguments)
    choose_exports(options.format, options.quantize)
    results = export_run(load_run(options.run), options.format, options.quantize, options.output)
    from tl_keras.runs.export_measures import result_lines

    print("", *result_lines(results), sep="\n")


if __name__ == "__main__":
    run_verb(main)
