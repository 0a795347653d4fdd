"""Measures on your own data whether transfer pays: `python -m tl_keras.compare --data.path X`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from dataclasses import replace
from pathlib import Path

from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import folder_name
from tl_keras.studies.comparison.grid import BUDGETS, MAX_DRAWS, METHODS, GridSettings, parse_budgets, parse_methods


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(
        prog="python -m tl_keras.compare",
        description="Trains with and without pretrained weights on the same labels, for several numbers of labels and "
        "draws, and says whether transfer pays. All flags of training, such as --data.path, --task, --max_time and "
        "--seed, are accepted. The same command resumes an interrupted comparison.",
    )
    parser.add_argument("--budgets", metavar="N,N", help=f"labels of each class (default: {','.join(BUDGETS)})")
    parser.add_argument("--draws", metavar="N", type=int, default=5, help="random draws of the labels (default: 5)")
    parser.add_argument("--methods", metavar="A,B", default=",".join(METHODS), help="methods (default: %(default)s)")
    parser.add_argument("--price_per_hour", metavar="X", type=float, help="price of this machine, for the costs")
    parser.add_argument("--output", metavar="FOLDER", help="folder of the results (default: runs/NAME-comparison)")
    parser.usage = f"{parser.prog} [PATH] [FLAGS]"
    options, rest = parser.parse_known_args(arguments)
    config = replace(parse(rest), run=None)
    if not 1 <= options.draws <= MAX_DRAWS:
        raise InputError(f"--draws must be between 1 and {MAX_DRAWS}: got {options.draws}.")
    if options.price_per_hour is not None and not 0 < options.price_per_hour < float("inf"):
        raise InputError(f"--price_per_hour must be above 0: got {options.price_per_hour}.")
    budgets = parse_budgets(options.budgets or ",".join(BUDGETS))
    grid = GridSettings(parse_methods(options.methods), budgets, options.draws, options.budgets is not None)
    folder = Path(options.output or Path("runs") / f"{folder_name(config.data.path)}-comparison")
    # Imported here, so that --help and a mistyped flag answer at once.
    from tl_keras.studies.comparison.comparing import compare
    from tl_keras.studies.comparison.comparison_files import summary_lines, write_comparison

    comparison = compare(config, grid, folder)
    paths = write_comparison(comparison, folder, options.price_per_hour)
    print("", *summary_lines(comparison, options.price_per_hour), "", *(f"  {path}" for path in paths), sep="\n")


if __name__ == "__main__":
    run_verb(main)
