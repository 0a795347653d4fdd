"""Checks labels: `python -m tl_keras.label check DATA` lists those that are probably wrong."""

from pathlib import Path

from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.config.parsing import parse
from tl_keras.errors import unknown_name
from tl_keras.runs.opening import new_folder
from tl_keras.runs.run_folder import folder_name

QUESTIONS = ("check",)


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(
        prog="python -m tl_keras.label",
        description="check: lists labels that are probably wrong, by heads on frozen features that have not learned "
        "from the example. All flags of training, such as the path of the data, --task and --seed, are accepted. "
        "Nothing is changed.",
    )
    parser.add_argument("question", metavar="check", help="what to do")
    parser.add_argument("--output", metavar="FOLDER", help="folder of the results (default: a new one in runs)")
    parser.usage = f"{parser.prog} check [PATH] [FLAGS]"
    options, rest = parser.parse_known_args(arguments)
    if options.question not in QUESTIONS:
        raise unknown_name("question", options.question, QUESTIONS)
    config = parse(rest)
    folder = Path(options.output or new_folder(f"{folder_name(config.data.path)}-labels"))
    # Imported here, so that --help and a mistyped flag do not wait for TensorFlow.
    from tl_keras.studies.label_check import check_labels
    from tl_keras.studies.label_check_files import summary_lines, write_label_check

    check = check_labels(config)
    paths = write_label_check(check, config, folder)
    print("\n".join([*summary_lines(check), *(f"  {path}" for path in paths)]))


if __name__ == "__main__":
    run_verb(main)
