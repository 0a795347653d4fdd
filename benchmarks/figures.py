"""Regenerates the figures of README and docs, and fails where the documents differ: `python benchmarks/figures.py`.

`figures.yaml` beside this file names each figure: the command that measures it, the sentence or table rows of a page,
and where the output of the command has the same figures. A command runs once, though several figures come from it, in a
folder with the data of the repository.

- Scores must lie in the interval that the document states beside them, within two of the stated standard deviations or
  errors, or else within `--tolerance` of the stated figure.
- Counts must be equal.
- Times and memory may differ by the factor `--time_tolerance`, and are only reported on another machine than that of
  the catalogue.

The exit code is 1 if a figure differs or a command fails. Everything takes days; choose with `--only`:

    python benchmarks/figures.py --list
    python benchmarks/figures.py --only README.md --folder runs/figures
    python benchmarks/figures.py --only few_labels
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from figure_checks.catalogue import read_catalogue
from figure_checks.comparing import DIFFERS, SAME, Comparison, Tolerance, compare_figure
from figure_checks.running import describe_machine, prepare_folder, run_command


def make_parser():
    """Makes the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--list", action="store_true", help="print each figure with its page and command")
    parser.add_argument(
        "--only", metavar="PAGE_OR_NAME", help="only the figures of a page, or of a command by its name"
    )
    parser.add_argument(
        "--folder", type=Path, help="folder that keeps the outputs, so that an interrupted run continues"
    )
    parser.add_argument("--tolerance", type=float, default=Tolerance.score, help="of scores (default: %(default)s)")
    parser.add_argument("--time_tolerance", type=float, default=Tolerance.time, help="(default: factor %(default)s)")
    return parser


def list_figures(commands):
    """Prints each figure below its command."""
    for command in commands:
        print(f"{command.name}, about {command.minutes:g} minutes: {command.run}")
        for figure in command.figures:
            print(f"  {figure.page}: {' '.join(figure.text.split())}")


def check_commands(commands, folder, tolerance):
    """Runs commands and yields each `Comparison`; a command that fails is one figure that differs."""
    prepare_folder(folder)
    for command in commands:
        print(f"{command.name}: {command.run}", file=sys.stderr, flush=True)
        try:
            output = run_command(command, folder)
        except subprocess.CalledProcessError as error:
            tail = " ".join(error.stdout.split()[-20:])
            pages = ", ".join(dict.fromkeys(figure.page for figure in command.figures))
            yield Comparison(pages, command.name, "", f"exit code {error.returncode}: {tail}", DIFFERS)
            continue
        for figure in command.figures:
            yield from compare_figure(figure, output, tolerance)


def main(arguments=None):
    """Measures and compares, and returns the exit code."""
    options = make_parser().parse_args(arguments)
    catalogue = read_catalogue()
    commands = catalogue.choose(options.only)
    if not commands:
        names = ", ".join(command.name for command in catalogue.commands)
        sys.exit(f"--only must be a page with figures or one of {names}: got {options.only}.")
    if options.list:
        list_figures(commands)
        return 0
    is_same_machine = re.fullmatch(catalogue.machine, describe_machine()) is not None
    tolerance = Tolerance(options.tolerance, options.time_tolerance, is_same_machine)
    with tempfile.TemporaryDirectory() as temporary:
        results = list(check_commands(commands, (options.folder or Path(temporary)).resolve(), tolerance))
    differing = [one for one in results if one.verdict != SAME]
    if differing:
        print("| page | figure | stated | measured | verdict |\n|---|---|---|---|---|")
    for one in differing:
        print(f"| {one.page} | {one.name} | {one.stated} | {one.measured} | {one.verdict} |")
    failures = sum(one.verdict == DIFFERS for one in results)
    print(f"{len(results)} figures compared, {failures} differ.")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
