"""Templates of sentences and table rows with figures, such as `accuracy {accuracy} ({accuracy_low} to ...)`.

`{name:kind}` stands for a figure; the kind decides how it is compared, by default as a score:

- score: differs by at most the tolerance; or lies between `{name_low}` and `{name_high}`, or within two
  `{name_spread}`, where the same template has them;
- percent: the same on a scale of 0 to 100;
- exact: is equal;
- cost: seconds or memory; has a ratio to the stated one within the tolerance of times, on the machine of the catalogue;
- key: names the row; any text without a bar.
"""

import re

KINDS = ("score", "percent", "exact", "cost", "key")
NUMBER = r"[+−-]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
KEY = r"[^|\n]+?"
_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")


def field_kinds(template):
    """Returns a dict from the names of a template's fields to their kinds, in order."""
    kinds = {name: kind or "score" for name, kind in _FIELD.findall(template)}
    if unknown := set(kinds.values()) - set(KINDS):
        raise ValueError(f"Invalid kind of a figure: received {sorted(unknown)}, expected one of {', '.join(KINDS)}.")
    return kinds


def compile_template(template):
    """Compiles a template to a regular expression with a named group for each field.

    A template that begins with a bar is a row of a table and fills a line; others may break lines at any space.
    """
    is_row = template.startswith("|")
    space = r"[ \t]+" if is_row else r"\s+"
    pieces, end = [], 0
    for field in _FIELD.finditer(template):
        pieces.append(_literal(template[end : field.start()], space))
        pieces.append(f"(?P<{field[1]}>{KEY if field[2] == 'key' else NUMBER})")
        end = field.end()
    pieces.append(_literal(template[end:], space))
    pattern = "".join(pieces)
    return re.compile(rf"^{pattern}[ \t]*$" if is_row else pattern, re.MULTILINE)


def to_number(text):
    """Returns the number that a document writes as `1,234`, `+.5` or `−0.2`."""
    return float(text.replace(",", "").replace("−", "-"))


def _literal(text, space):
    return space.join(map(re.escape, re.split(r"\s+", text)))
