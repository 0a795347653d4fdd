"""Builds the site of the documentation: `python -m sphinx -W docs site`; the pages also open from disk."""

import re

import tl_keras

project = "tl_keras"
author = "the authors of tl_keras"
copyright = "the authors of tl_keras, Apache-2.0"
version = release = tl_keras.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "tl_keras"
html_copy_source = False
html_show_sourcelink = False
default_role = "code"
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
napoleon_use_ivar = True

# Files outside of docs/ are read in the repository; on the site, links to them become their text.
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./(?![a-z_]+\.md\))[^)]*\)")


def _replace_links_to_the_repository(app, name, source):
    source[0] = OUTSIDE.sub(r"\1", source[0])


def setup(app):
    """Connects the event of a page that was read; Sphinx calls this."""
    app.connect("source-read", _replace_links_to_the_repository)
