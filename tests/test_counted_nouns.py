"""Counts in messages and reports have their nouns in singular or plural: `tl_keras.errors.counted`."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "tl_keras"
NOUNS = (
    "batches|blocks|boxes|cells|characters|chiefs|classes|columns|cuts|detections|devices|draws|epochs|examples|files|"
    "images|labels|layers|lines|nodes|objects|pairs|phases|predictions|replicas|rows|scores|steps|tasks|texts|tokens|"
    "values|variables|views|windows"
)
# Another word may stand between a number and its noun.
COUNTED_NOUN = re.compile(rf" (?!with|without|and|names)([a-z-]+ )?({NOUNS})\b")
COUNT = re.compile(r"len\(|\.sum\(|\bnum_|count\b|\b(changed|examples|replicas|rows|steps|total|views)\b")
FIXED = re.compile(r"counted\(.*|len\(\w*[A-Z_]{3,}\)|max_rows")


def uncounted(path):
    """Yields "line: {number} noun" for each f-string with a plural behind a number that may be 1."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for number, text in pairwise(node.values if isinstance(node, ast.JoinedStr) else ()):
            if isinstance(number, ast.FormattedValue) and isinstance(text, ast.Constant):
                expression, noun = ast.unparse(number.value), COUNTED_NOUN.match(text.value)
                if noun and COUNT.search(expression) and not FIXED.fullmatch(expression):
                    yield f"{node.lineno}: {{{expression}}}{noun[0]}"


def test_a_plural_behind_a_number_is_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('print(f"{len(x):,} training images, {counted(n, 1)} boxes, {MAX} files, {name} labels")\n')
    assert list(uncounted(path)) == ["1: {len(x)} training images"]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_nouns_follow_their_number(path):
    assert list(uncounted(path)) == []
