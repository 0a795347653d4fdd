"""Cells of labels: lists written as text, names joined by a separator, and a column of zeros and ones per class."""

import ast
import re
import unicodedata
from collections import Counter

from tl_keras.data.wording import excerpt
from tl_keras.errors import quoted

DEFAULT_SEPARATOR = "|"

_USUAL_SEPARATORS = ("|", ",", ";")
_OTHER_SEPARATORS = ("/", "&", "+", " ")
_LISTS_ADVICE = 'write lists such as ["a", "b"]'

_START_OF_LIST = re.compile(r"""[\[({]\s*['"]|\[\s*[-+]?[0-9][0-9.]*\s*[\s,\]]""")
_ITEM = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[-+]?[0-9][0-9.]*)"""
_LIST = re.compile(rf"[\[({{]\s*{_ITEM}(?:\s*,\s*{_ITEM})*(?:\s*,)?\s*[\])}}]")
_ITEMS = re.compile(_ITEM)
_JOINED_BITS = re.compile(r"[01](?:\s*[\s,;|]\s*[01])+")
_BITS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def read_lists(places, cells, faults):
    """Converts cells that hold a list as text, such as "['a', 'b']", to lists.

    Args:
        places: location of each row, such as "line 7".
        cells: list of str, or of lists of str.
        faults: `Faults` that collects texts that look like a list and cannot be read.

    Returns:
        List of the cells.
    """
    lists = []
    for place, cell in zip(places, cells, strict=True):
        if isinstance(cell, str) and _START_OF_LIST.match(cell):
            if _LIST.fullmatch(cell):
                cell = list(map(_unquoted, _ITEMS.findall(cell)))
            else:
                faults.add("a list that cannot be read", f"{place} ({excerpt(cell)})", _LISTS_ADVICE)
        lists.append(cell)
    return lists


def split_names(cell, separator):
    """Splits a cell into class names, without those that are empty.

    Args:
        cell: str, or list of str.
        separator: str between the names of a text; None if a text is a single name.

    Returns:
        List of str, accents in one encoding.
    """
    names = cell if isinstance(cell, list) else cell.split(separator) if separator else [cell]
    return [unicodedata.normalize("NFC", name.strip()) for name in names if name.strip()]


def hold_zeros_and_ones(cells):
    """Returns True if all cells hold the same number of zeros and ones, at least two, in place of names."""
    rows = [
        re.findall("[01]", cell) if isinstance(cell, str) and _JOINED_BITS.fullmatch(cell) else cell
        for cell in cells
        if cell
    ]
    if not all(isinstance(row, list) and all(name.lower() in _BITS for name in row) for row in rows):
        return False
    return len({len(row) for row in rows}) == 1 and len(rows[0]) > 1


def is_class_column(cells):
    """Returns True if a column of a table consists of zeros and ones."""
    return bool(cells) and all(str(cell).lower() in _BITS for cell in cells)


def join_class_columns(places, columns, faults):
    """Reads the labels of a table that has a column of zeros and ones for each class.

    Args:
        places: location of each row, such as "line 7".
        columns: dict from class name to the cells of its column.
        faults: `Faults` that collects other cells.

    Returns:
        List with a list of class names for each row.
    """
    names_of_rows = [[] for _ in places]
    for name, cells in columns.items():
        for place, names, cell in zip(places, names_of_rows, cells, strict=True):
            bit = _BITS.get(str(cell).lower())
            if bit is None:
                shown = f"{place} ({quoted(excerpt(str(cell)))} in {quoted(name)})"
                faults.add("a cell that is not 0 or 1 in the column of a class", shown, "write 1 for its examples")
            elif bit:
                names.append(name)
    return names_of_rows


def check_separator(places, cells, separator, faults):
    """Adds a fault if texts seem to be joined by another separator.

    Args:
        places: location of each row, such as "line 7".
        cells: list of str, or of lists of str.
        separator: str that joins the names of a text.
        faults: `Faults`.
    """
    texts = {cell for cell in cells if isinstance(cell, str)}
    others = [mark for mark in _USUAL_SEPARATORS if mark != separator]
    suspects = texts
    if any(separator in text for text in texts):
        names = {name for text in texts for name in split_names(text, separator)}
        suspects = {text for text in texts if separator not in text and _joins_names(text, names, others)}
        plausible = others
    elif any(isinstance(cell, list) and len(cell) > 1 for cell in cells):
        plausible = []
    else:
        plausible = [mark for mark in others if any(mark in text for text in texts)]
        plausible = plausible or [mark for mark in _OTHER_SEPARATORS if _parts_repeat(texts, mark)]
    for place, cell in zip(places, cells, strict=True):
        mark = next((mark for mark in plausible if mark in cell), None) if isinstance(cell, str) else None
        if mark and cell in suspects:
            problem = f"labels that seem to be joined by {mark!r} and not by {separator!r}"
            advice = f'give --data.label_separator "{mark}", or {_LISTS_ADVICE}'
            faults.add(problem, f"{place} ({excerpt(cell)})", advice)


def find_joined_labels(cells):
    """Finds cells that join several labels, where each row should have one.

    Args:
        cells: list of str, or of lists of str.

    Returns:
        Set of texts: those that join labels of other rows, or that have parts in common and a "|" between them.
    """
    texts = {cell for cell in cells if isinstance(cell, str)}
    joined = {text for text in texts if _joins_names(text, texts, _USUAL_SEPARATORS)}
    if _parts_repeat(texts, DEFAULT_SEPARATOR):
        joined |= {text for text in texts if DEFAULT_SEPARATOR in text}
    return joined


def _unquoted(item):
    return str(ast.literal_eval(item)) if item[0] in "'\"" else item


def _joins_names(text, names, separators):
    parts = (split_names(text, separator) for separator in separators)
    return any(len(set(part)) > 1 and names.issuperset(part) for part in parts)


def _parts_repeat(texts, separator):
    """Returns True if at least half of the parts of joined texts stand in other texts, too, as class names do."""
    names_of_texts = [set(split_names(text, separator)) for text in texts]
    joined = {name for names in names_of_texts if len(names) > 1 for name in names}
    counts = Counter(name for names in names_of_texts for name in names & joined)
    return len(joined) > 1 and 2 * sum(count > 1 for count in counts.values()) >= len(joined)
