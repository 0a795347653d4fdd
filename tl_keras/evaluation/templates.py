"""Templates of the report and of the model card."""

import re
from pathlib import Path

import jinja2
from jinja2.utils import markupsafe

from tl_keras.system.escaping import for_lines

_FROM_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Letters of Hebrew, Arabic and other scripts that are written from right to left."""
_NAME_FROM_RIGHT = re.compile(f"[{_FROM_RIGHT}](?:[{_FROM_RIGHT}\u200c\u200d]|[ _-](?=[{_FROM_RIGHT}]))*")


def load_template(name, **filters):
    """Loads a template of this folder.

    Args:
        name: file name. Values are escaped in HTML only; templates of Markdown escape them with a filter of their own.
        filters: functions that the template uses, by name, beside `isolated`, see `isolate_names`.

    Returns:
        `jinja2.Template`, which refuses undefined names and replaces control characters in all values.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_control_characters,
    )
    environment.filters |= {"isolated": isolate_names} | filters
    return environment.get_template(name)


def isolate_names(text):
    """Wraps names from right to left in a sentence of a page, so that numbers beside them keep their place.

    Args:
        text: str, such as "→ cat 98 %", or `Markup`.

    Returns:
        `Markup`, with `<bdi>` around each of these names.
    """
    return markupsafe.Markup(_NAME_FROM_RIGHT.sub(r"<bdi>\g<0></bdi>", str(markupsafe.escape(text))))


def _without_control_characters(value):
    # The type says whether a text is already escaped.
    return type(value)(for_lines(value)) if isinstance(value, str) else value
