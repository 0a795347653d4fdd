"""Tests a finished run again, on its own test split or on other data: `python -m tl_keras.evaluate RUN`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


import os

from tl_keras.cli.verbs import OneOfTwoNames, OneSentenceParser, run_verb
from tl_keras.config.config_text import READING_FLAGS
from tl_keras.errors import InputError, quoted
from tl_keras.runs.evaluations import evaluate_run
from tl_keras.runs.run_folder import folder_name
from tl_keras.runs.trained_run import load_run
from tl_keras.training.results import format_results


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(prog="python -m tl_keras.evaluate", description="Tests a finished run again.")
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "path",
        metavar="DATA",
        nargs="?",
        type=os.path.expanduser,
        help="labelled data to test on; the run's own test split by default",
    )
    parser.add_argument(
        "--data",
        "--data.path",
        action=OneOfTwoNames,
        metavar="PATH",
        type=os.path.expanduser,
        help="the same as DATA",
    )
    parser.add_argument("--split", metavar="NAME", help="train, validation, test or all; the test split by default")
    parser.add_argument("--output", metavar="FOLDER", help="write the results there instead of into the run folder")
    reading = parser.add_argument_group("how other data are read", "As in training; by default as the run was trained.")
    for name in READING_FLAGS:
        # As `predict` names its columns, too.
        reading.add_argument(f"--{name}", f"--{name.rpartition('.')[2]}", action=OneOfTwoNames, metavar="VALUE")
    options = parser.parse_args(arguments)
    if options.path is not None and options.data is not None:
        raise InputError(f"Got the data {quoted(options.path)} and --data {quoted(options.data)}: give one of them.")
    options.data = options.data if options.path is None else options.path
    flags = [f"--{name}={value}" for name in READING_FLAGS if (value := getattr(options, name)) is not None]
    if flags and options.data is None:
        raise InputError(f"{flags[0].partition('=')[0]} is for other data: give them as DATA, or leave it out.")
    run = load_run(options.run, flags)
    results = evaluate_run(run, options.data, options.output, options.split)
    tested = options.split or (folder_name(options.data) if options.data else "test")
    print(format_results(results, run.task, tested))


if __name__ == "__main__":
    run_verb(main)
