"""Measures on your own data whether transfer pays: `python -m tl_keras.compare --data.path X`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from dataclasses import replace
from pathlib import Path

from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.config.parsing import check_flags, parse
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import folder_name
from tl_keras.studies.comparison.grid import MAX_DRAWS, GridSettings, parse_budgets, parse_methods
from tl_keras.studies.comparison.terms import BOXES, CLASSES, terms_of


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
    parser.add_argument(
        "--budgets", metavar="N,N", help=f"labels of each class, or images with boxes ({_both('budgets')})"
    )
    parser.add_argument("--draws", metavar="N", type=int, help=f"random draws of the labels ({_both('draws')})")
    parser.add_argument("--methods", metavar="A,B", help=f"methods ({_both('methods')})")
    parser.add_argument("--price_per_hour", metavar="X", type=float, help="price of this machine, for the costs")
    parser.add_argument("--output", metavar="FOLDER", help="folder of the results (default: runs/NAME-comparison)")
    parser.usage = f"{parser.prog} [PATH] [FLAGS]"
    options, rest = parser.parse_known_args(arguments)
    check_flags(expand_shorthand(rest), parser.flags)
    config = replace(parse(rest), run=None)
    terms = terms_of(config.task)
    draws = terms.draws if options.draws is None else options.draws
    if not 1 <= draws <= MAX_DRAWS:
        raise InputError(f"--draws must be between 1 and {MAX_DRAWS}: got {draws}.")
    if options.price_per_hour is not None and not 0 < options.price_per_hour < float("inf"):
        raise InputError(f"--price_per_hour must be above 0: got {options.price_per_hour}.")
    budgets = parse_budgets(",".join(terms.budgets) if options.budgets is None else options.budgets, terms)
    methods = parse_methods(",".join(terms.methods) if options.methods is None else options.methods, terms)
    grid = GridSettings(methods, budgets, draws, options.budgets is not None)
    folder = Path(options.output or Path("runs") / f"{folder_name(config.data.path)}-comparison")
    # Imported here, so that --help and a mistyped flag answer at once.
    from tl_keras.studies.comparison.comparing import compare
    from tl_keras.studies.comparison.comparison_files import summary_lines, write_comparison

    comparison = compare(config, grid, folder)
    paths = write_comparison(comparison, folder, options.price_per_hour)
    print("", *summary_lines(comparison, options.price_per_hour), "", *(f"  {path}" for path in paths), sep="\n")


def _both(name):
    """Describes the defaults of a flag, for classification and for boxes."""
    values = (getattr(terms, name) for terms in (CLASSES, BOXES))
    shown = [",".join(value) if isinstance(value, tuple) else str(value) for value in values]
    return f"default: {shown[0]}; for boxes {shown[1]}"


if __name__ == "__main__":
    run_verb(main)
