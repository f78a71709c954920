"""An answer that is known before a video is looked at, in two lines: what can be asked, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tools.text import in_one_row, one_line
from tools.video.link_names import shown_name

if TYPE_CHECKING:
    from agent.grounding import Grounding


def render_known(known: Grounding) -> list[Text]:
    """Why it cannot be told and what can be asked now; then what would answer it.

    Args:
        known: From ``Grounder.foresee``.
    """
    why = Text()
    why.append("cannot tell", style="bold magenta")
    why.append(f"  “{known.query}”", style="bold")
    name = in_one_row(shown_name(known.video.path))
    why.append(f"  in {name}: {one_line(known.reasoning)}")
    return [why, Text(one_line(known.advice), style="cyan")]
