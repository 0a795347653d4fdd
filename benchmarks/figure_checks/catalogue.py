"""The catalogue of figures: commands, and what the documents state of their output."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from figure_checks.patterns import compile_template, field_kinds

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "benchmarks" / "figures.yaml"


@dataclass(frozen=True)
class Figure:
    """Holds a sentence or a form of rows of a page, and where the output of a command has the same figures."""

    page: str
    """Path of the document from the root of the repository."""
    text: str
    """Template of the sentence or of the rows, see `patterns`."""
    output: tuple[str, ...] = ()
    """Regular expressions with the names of the template's fields; by default the template itself."""
    section: str = ""
    """Heading of the second level in the page and the output below which the figures stand, with its marks."""

    @property
    def kinds(self):
        """Dict from the fields of the template to their kinds."""
        return field_kinds(self.text)

    @property
    def keys(self):
        """Names of the fields that tell rows apart."""
        return [name for name, kind in self.kinds.items() if kind == "key"]

    def find_stated(self):
        """Lists the matches of the template in the page."""
        page = (ROOT / self.page).read_text(encoding="utf-8")
        return list(compile_template(self.text).finditer(page, *self._section_of(page)))

    def find_measured(self, output):
        """Finds the figures in the output of the command.

        Returns:
            Dict from the tuple of the keys to a dict from field to text.
        """
        patterns = [re.compile(pattern, re.MULTILINE) for pattern in self.output] or [compile_template(self.text)]
        found = {}
        for pattern in patterns:
            for match in pattern.finditer(output, *self._section_of(output)):
                names = match.groupdict()
                row = found.setdefault(tuple(names.get(key, "").strip() for key in self.keys), {})
                # The first one counts where an output has several.
                row.update({name: value for name, value in names.items() if name not in row})
        return found

    def _section_of(self, text):
        start = text.find(f"{self.section}\n") if self.section else 0
        end = text.find("\n## ", start) if self.section else -1
        return max(start, 0), len(text) if end < 0 else end


@dataclass(frozen=True)
class Command:
    """Holds a command and all figures that come from its output."""

    name: str
    run: str
    """Line for bash, run from a folder with `data`, `benchmarks`, `notebooks` and `runs`."""
    minutes: float
    """About how long it takes on two cores."""
    figures: tuple[Figure, ...]
    after: tuple[str, ...] = ()
    """Names of the commands that must have run before it, whose runs it uses."""
    files: tuple[str, ...] = ()
    """Files that it writes, whose text is added to its output."""


@dataclass(frozen=True)
class Catalogue:
    """Holds everything that `figures.yaml` names."""

    machine: str
    """Regular expression of the machine on which the times were measured, as `describe_machine` calls it."""
    commands: tuple[Command, ...]
    exempt: tuple[tuple[str, str, str], ...]
    """(page, words of the line or block, reason) of figures that no command measures."""

    def choose(self, only=None):
        """Lists the commands of a name or with figures of a page, and those that must run before them."""
        wanted = [one for one in self.commands if only is None or _concerns(one, only)]
        names = {name for one in wanted for name in (one.name, *one.after)}
        return [one for one in self.commands if one.name in names]


def read_catalogue(path=CATALOGUE):
    """Reads the catalogue."""
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    commands = tuple(_command(entry) for entry in content["commands"])
    exempt = [(page, words, reason) for page, lines in content["exempt"].items() for words, reason in lines.items()]
    return Catalogue(content["machine"], commands, tuple(exempt))


def _command(entry):
    figures = [_figure(page, one) for page, some in entry["figures"].items() for one in some]
    after, files = (tuple(entry.get(name, ())) for name in ("after", "files"))
    return Command(entry["name"], entry["run"], entry["minutes"], tuple(figures), after, files)


def _figure(page, entry):
    if isinstance(entry, str):
        return Figure(page, entry)
    output = entry.get("output", ())
    output = (output,) if isinstance(output, str) else tuple(output)
    return Figure(page, entry["text"], output, entry.get("section", ""))


def _concerns(command, only):
    pages = {figure.page for figure in command.figures}
    return only == command.name or any(only in (page, Path(page).name, Path(page).stem) for page in pages)
