"""The words of the project: one term for one concept, and docstrings that open with verb and object."""

import ast
import io
import itertools
import json
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "tl_keras").rglob("*.py"))
DOCUMENTS = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
READ_BY_PEOPLE = [
    *(path for path in (*PACKAGE, *sorted((ROOT / "tests").rglob("*.py"))) if path != Path(__file__)),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
    *DOCUMENTS,
    *(path for path in sorted((ROOT / "docs").rglob("*")) if path.is_file() and path.suffix != ".png"),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "tl_keras").rglob("*.yaml")),
    *sorted((ROOT / "tl_keras").rglob("*.jinja")),
]

MAX_SUMMARY_WORDS = 20
MAX_EXCEPTIONS = 19
OPENER = re.compile(r"(What|Whether|How|Where|Who)\b")

# phrase, as a regular expression over text without line breaks: what to write instead
BANNED = {
    r"\b(goes|going|went|go) on\b": "resumes, continues",
    r"\b(is|are|was|were|be|been) told\b|\btells? of\b": "is reported, is printed, receives",
    r"\bno such\b(?! (file|option|directory))|\bhas such\b": "name the thing again",
    r"\bas (it is|they are) meant\b": "accepted and handled",
    r"\bso many\b": "that number of, or the number",
    r"\bby the way\b": "nothing",
    r"\b(is|are) none\b": "is invalid, is unsupported, does not exist",
    r"\bonce or never\b": "at most once",
    r"\b(surer|surest|sure of)\b": "more confident, most confident",
    r"\bthaw(s|ed|ing)?\b": "unfreeze, trainable",
    r"\blets? [a-z ]{1,20} be\b": "leaves unchanged, allows",
    r"\band leave\b": "and exit",
    r"(?:^|[.!?:] )Of (?!course)[a-z]": "a sentence in its usual order",
    r"\b(may|would|could) be chance\b|\b(is|by) chance\b": "may be noise, or the interval includes 0",
    r"\bpictures?\b": "image; plot where it is drawn for people",
    r"\boverlaps?\b": "IoU",
    r"\b(MOST|FEWEST)_|\bat the most\b": "MAX_, MIN_, at most",
    r"\bthat it was given\b": "its argument, or the noun",
    r"\bas pip fetches\b": "downloaded once from PyPI",
    r"\bsquash(es|ed|ing)\b": "stretches (a resize that ignores the aspect ratio)",
    r"\b(keep_maxima|hot_labels|assign_columns|absolute_distance|birth_steps|compute_leanly)\b": "the field's name",
}

# file, excerpt around the phrase, reason
EXCEPTIONS = [
    ("tl_keras/transfer/staged_adamw.py", "birth_steps", "name of a variable in saved optimizers"),
    ("CHANGELOG.md", "`tl.compute_leanly`", "names the old public name"),
    ("CHANGELOG.md", "`pictures`", "names the old argument"),
    ("CHANGELOG.md", "`--pictures FOLDER`", "names the old flag"),
]

VERBS = """
Adds Adjusts Advances Aligns Allows Announces Appends Applies Approximates Asks Assigns Attaches Augments Averages
Broadcasts Builds Caches Calls Casts Changes Checks Chooses Cleans Clears Clips Closes Collects Combines Compares
Compiles Completes Computes Concatenates Condenses Configures Connects Converts Copies Corrects Counts Creates Crops
Cuts Decides Decodes Defers Deletes Derives Describes Deserializes Detaches Detects Determines Digests Disables
Divides Downloads Draws Drops Embeds Enables Encodes Ends Ensures Escapes Estimates Evaluates Exits Expands Explains
Exports Expresses Extracts Feeds Fetches Fills Filters Finds Finishes Fits Flattens Flips Folds Formats Forwards Frees
Freezes Gathers Generates Groups Handles Hashes Hides Holds Identifies Implements Infers Initializes Inserts Inspects
Instantiates Inverts Invokes Iterates Joins Keeps Labels Launches Limits Lists Loads Locates Locks Logs Lowercases
Lowers Makes Maps Marks Masks Matches Measures Merges Mixes Monitors Moves Multiplies Names Normalizes Notifies Opens
Orders Overrides Packs Pads Pairs Parses Passes Picks Places Plans Plots Pools Predicts Prepares Preprocesses
Preserves Pretrains Prevents Prints Projects Propagates Protects Provides Quantizes Raises Ranks Re-estimates Reads
Rebuilds Receives Records Reduces Refuses Registers Rejects Relabels Releases Reloads Removes Renames Renumbers
Reorders Repeats Replaces Reports Requests Rescales Resets Reshapes Resizes Resolves Restores Resumes Retries Returns
Reuses Reverses Reverts Rewrites Rotates Rounds Routes Runs Samples Saves Scales Scores Searches Seeds Selects Sends
Separates Serializes Sets Shares Shifts Shortens Shows Shuffles Skips Smooths Solves Sorts Splits Spreads Standardizes
Starts States Stops Stores Streams Stretches Strips Subtracts Suggests Summarizes Sums Suppresses Swaps Switches
Synchronizes Synthesizes Terminates Tests Tiles Tokenizes Traces Tracks Trains Transfers Translates Transposes Tries
Trims Truncates Turns Unfreezes Unites Unpacks Unwraps Updates Uses Validates Verifies Visits Waits Warns Watches
Weighs Weights Wraps Writes Yields
"""
"""Third-person verbs that open the first line of a docstring."""
INHERITED = re.compile(r"See (the class|`[\w.]+`)\.")
"""First line of a method whose contract stands in the class or in a base class."""


def relative(path):
    return str(path.relative_to(ROOT))


def documented(tree):
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(tree) if isinstance(node, kinds) and ast.get_docstring(node)]


def python_pieces(source, with_strings=True):
    """Yields (line, text) of each docstring, string and block of comments, and the name of each test with blanks."""
    tree = ast.parse(source)
    docstrings = {id(node.body[0].value) for node in documented(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (with_strings or id(node) in docstrings):
            yield node.lineno, node.value
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    for line in comments:
        if line - 1 not in comments:
            block = itertools.takewhile(comments.__contains__, itertools.count(line))
            yield line, " ".join(comments[number] for number in block)


def pieces_of_test(source):
    """Leaves out the plain strings of a test: they repeat what the package writes, or are data."""
    return python_pieces(source, with_strings=False)


def text_pieces(text):
    """Yields (line, text) of each paragraph; a comment sign at the head of a line is no part of it."""
    start = 1
    for paragraph in text.split("\n\n"):
        yield start, " ".join(line.strip().lstrip("# ") for line in paragraph.splitlines())
        start += paragraph.count("\n") + 2


def template_pieces(text):
    """Yields the paragraphs of a template without its statements, as in `{% elif finds_boxes %}`."""
    return text_pieces(re.sub(r"{%.*?%}", "", text))


def notebook_pieces(text):
    """Yields (cell, text) of the sources of a notebook; its outputs are what the code printed."""
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        source = "".join(cell["source"])
        is_python = cell["cell_type"] == "code" and not re.search(r"^[%!]", source, re.MULTILINE)
        for _, piece in python_pieces(source) if is_python else text_pieces(source):
            yield number, piece


READERS = {".py": python_pieces, ".ipynb": notebook_pieces, ".jinja": template_pieces}


@cache
def pieces(path):
    """Returns a list of (line or cell, text without line breaks) of all that a person reads in a file."""
    text = path.read_text(encoding="utf-8")
    read = pieces_of_test if path.is_relative_to(ROOT / "tests") else READERS.get(path.suffix, text_pieces)
    return [(line, " ".join(piece.split())) for line, piece in read(text)]


def covers(excerpt, text, match):
    """Tells whether an excerpt stands in a text around a match."""
    return any(
        found.start() <= match.start() and match.end() <= found.end() for found in re.finditer(re.escape(excerpt), text)
    )


def summary(node):
    """Returns the first paragraph of a docstring, which is meant to be one line."""
    return " ".join(ast.get_docstring(node).split("\n\n")[0].split())


def opens_with_verb(text):
    return text.split()[0].rstrip(",") in VERBS.split() or INHERITED.fullmatch(text)


def public_definitions(path):
    """Returns (functions and methods, classes and properties) that are public and have a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions, others = [], []
    scopes = [tree]
    for scope in scopes:
        for node in scope.body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
                continue
            if isinstance(node, ast.ClassDef):
                scopes.append(node)
            if ast.get_docstring(node):
                decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
                is_noun = isinstance(node, ast.ClassDef) or any("property" in name for name in decorators)
                (others if is_noun else functions).append(node)
    return functions, others


@pytest.mark.parametrize("path", READ_BY_PEOPLE, ids=relative)
def test_no_banned_phrase(path):
    allowed = [excerpt for file, excerpt, _ in EXCEPTIONS if file == relative(path)]
    places = [
        f"{relative(path)}:{line}: …{text[max(0, match.start() - 40) : match.end() + 40]}…; write: {better}"
        for line, text in pieces(path)
        for phrase, better in BANNED.items()
        for match in re.finditer(phrase, text)
        if not any(covers(excerpt, text, match) for excerpt in allowed)
    ]
    assert not places, "\n".join(places)


def test_exceptions_are_few_and_all_needed():
    assert len(EXCEPTIONS) <= MAX_EXCEPTIONS
    for file, excerpt, reason in EXCEPTIONS:
        assert reason and any(re.search(phrase, excerpt) for phrase in BANNED), excerpt
        assert any(excerpt in text for _, text in pieces(ROOT / file)), f"{file} no longer says {excerpt!r}"


@pytest.mark.parametrize(
    ("text", "is_banned"),
    [
        ("The run goes on.", True),
        ("The run resumes.", False),
        ("so\n    many", True),
        ("No such file", False),
        ("Of each class", True),
    ],
)
def test_phrases_are_found_across_line_breaks(text, is_banned):
    (piece,) = [" ".join(text.split()) for _, text in python_pieces(f'x = """{text}"""') if text]
    assert any(re.search(phrase, piece) for phrase in BANNED) == is_banned


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_no_docstring_opens_with_a_question(path):
    nodes = documented(ast.parse(path.read_text(encoding="utf-8")))
    openers = [summary(node) for node in nodes if OPENER.match(summary(node))]
    assert not openers, "\n".join(openers)


@pytest.mark.parametrize("path", PACKAGE, ids=relative)
def test_public_docstrings_open_with_verb_and_object_in_one_line(path):
    functions, others = public_definitions(path)
    without_verb = [node for node in functions if not opens_with_verb(summary(node))]
    long = [node for node in (*functions, *others) if len(summary(node).split()) > MAX_SUMMARY_WORDS]
    without_period = [node for node in (*functions, *others) if not summary(node).endswith(".")]
    faults = [
        f"{relative(path)}:{node.lineno} {node.name}: {fault}: {summary(node)}"
        for fault, nodes in (("no verb first", without_verb), ("long", long), ("no period", without_period))
        for node in nodes
    ]
    assert not faults, "\n".join(faults)
