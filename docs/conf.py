"""How the pages are built: ``make docs``, with warnings as errors.

Sphinx with MyST: both are kept (MkDocs had no release since 2024, and its Material theme goes over
to another tool), and they read the Markdown that GitHub shows.
"""

from importlib.metadata import version as installed
from typing import Any

from pygments.lexers.special import TextLexer

project = "whenabouts"
author = "The whenabouts authors"
version = release = installed("whenabouts")
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
# Nothing is loaded from another host.
html_theme_options = {"footer_icons": []}
templates_path: list[str] = []
exclude_patterns = ["_build"]


def setup(app: Any) -> None:
    """Diagrams are shown as text: what draws them would be loaded from another host."""
    app.add_lexer("mermaid", TextLexer)
