"""Templates of the report and of the model card."""

from pathlib import Path

import jinja2

from tl_keras.system.escaping import for_lines


def load_template(name, **filters):
    """Loads a template of this folder.

    Args:
        name: file name. Values are escaped in HTML only; templates of Markdown escape them with a filter of their own.
        filters: functions that the template uses, by name.

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
    environment.filters |= filters
    return environment.get_template(name)


def _without_control_characters(value):
    # The type says whether a text is already escaped.
    return type(value)(for_lines(value)) if isinstance(value, str) else value
