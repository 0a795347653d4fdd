"""The catalogue of figures stands in the documents, and the documents have no other figures."""

import re
import shlex
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from figure_checks.catalogue import read_catalogue
from figure_checks.comparing import BOUNDS

from tl_keras.config import flag_names
from tl_keras.config.parsing import OWN_FLAGS, parse

ROOT = Path(__file__).parents[2]
CATALOGUE = read_catalogue()
FIGURES = [figure for command in CATALOGUE.commands for figure in command.figures]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
FENCE = re.compile(r"^```(.*)\n((?s:.*?))^```", re.MULTILINE)
MEASURED = re.compile(
    r"(?<![\w.:/-])[+−-]?\d*\.\d+(?!\w|\.\d)"  # a decimal figure
    r"|\d ?%|±"
    r"|\d (?:CPU )?(?:s|seconds|minutes|ms|milliseconds|MB|KB|GB|points)\b"
)
NOT_MEASURED = re.compile(r"`[^`\n]*`|\]\([^)]*\)|<https?:[^>]*>|9[05] % (?:range|interval)s?|Python 3\.\d+ to 3\.\d+")
LANGUAGES = {"bash", "python", "text", "yaml", "xml", "{toctree}", "{eval-rst}"}


def figure_lines(text):
    """Yields (start, end, line) of the lines with measured figures, outside of code that is run."""
    code = [match.span() for match in FENCE.finditer(text) if match[1] != "text"]
    for match in re.finditer(r"^.+$", text, re.MULTILINE):
        is_code = any(start <= match.start() < end for start, end in code)
        if not is_code and MEASURED.search(NOT_MEASURED.sub("", match[0])):
            yield *match.span(), match[0]


def catalogued_spans(page):
    return [match.span() for figure in FIGURES if figure.page == page for match in figure.find_stated()]


def exempt_words(page):
    return [words for name, words, _ in CATALOGUE.exempt if name == page]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{Path(figure.page).stem}: {figure.text[:40]}")
def test_a_catalogued_figure_stands_in_its_page(figure):
    found = figure.find_stated()
    assert found and (figure.keys or len(found) == 1)
    keys = [tuple(match[key] for key in figure.keys) for match in found]
    assert len(set(keys)) == len(keys)
    names = {name for pattern in figure.output for name in re.compile(pattern).groupindex}
    assert not figure.output or {name for name in figure.kinds if not name.endswith(BOUNDS)} <= names


@pytest.mark.parametrize("command", CATALOGUE.commands, ids=lambda command: command.name)
def test_a_command_has_flags_and_files_that_exist(command):
    for script, arguments in re.findall(r"python (benchmarks/[\w/]+\.py)([^&;]*)", command.run):
        source = (ROOT / script).read_text(encoding="utf-8")
        assert all(f'"{flag}"' in source for flag in re.findall(r"(?<!\S)--\w+", arguments))
    for verb, arguments in re.findall(r"python -m tl_keras\.(\w+) ([^&;]*)", command.run):
        words = [word.replace("$seed", "0").replace("$best", "true") for word in shlex.split(arguments)]
        if verb == "train":
            assert parse(words).run
        source = (ROOT / "tl_keras" / f"{verb}.py").read_text(encoding="utf-8")
        flags = {word for word in words if word.startswith("--")}
        assert all(flag in {*flag_names(), *OWN_FLAGS} or f'"{flag}"' in source for flag in flags)
    assert set(command.after) < {other.name for other in CATALOGUE.commands}


@pytest.mark.parametrize("page", PAGES)
def test_every_measured_figure_is_catalogued_or_exempt(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    spans, words = catalogued_spans(page), exempt_words(page)
    missing = [
        line
        for start, end, line in figure_lines(text)
        if not any(first < end and start < last for first, last in spans) and not any(one in line for one in words)
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_every_exemption_is_needed(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    spans = catalogued_spans(page)
    blocks = [(*match.span(), match[2]) for match in FENCE.finditer(text) if match[1] == "text"]
    places = [*figure_lines(text), *blocks]
    open_places = [one for *place, one in places if not any(a < place[1] and place[0] < b for a, b in spans)]
    assert all(any(words in one for one in open_places) for words in exempt_words(page))


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_output_is_catalogued_or_exempt(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    spans, words = catalogued_spans(page), exempt_words(page)
    assert not re.search(r"^(?!\s*[-*\d]).*\n\n {4}\S", FENCE.sub("", text), re.MULTILINE), "blocks need a language"
    for match in FENCE.finditer(text):
        assert match[1] in LANGUAGES, match[0]
        if match[1] == "text":
            start, end = match.span()
            is_catalogued = any(start < first < end for first, _ in spans)
            assert is_catalogued or any(one in match[0] for one in words), match[0]


def test_names_of_commands_are_unique():
    names = [command.name for command in CATALOGUE.commands]
    assert len(set(names)) == len(names)
