"""A question as callers put it, checked before anything is opened for it."""

from pathlib import Path

from pydantic import ValidationError

from agent.errors import QueryError
from agent.graph.state import Question
from tools.text import is_text

LONGEST_QUERY = 2000
"""Characters; a longer text says no one thing that could be looked for."""


def make_question(
    video: str | Path,
    query: str,
    captions: str | Path | None = None,
    *,
    within: tuple[float, float] | None = None,
    every_time: bool = False,
) -> Question:
    """A question that can be asked.

    Raises:
        QueryError: If the query is empty, too long or not text, or ``within`` is not a stretch.
    """
    if not isinstance(query, str):
        raise QueryError(f"the query has to be text, not {query!r}; say what to look for")
    if not query.strip():
        raise QueryError('the query is empty; say what to look for, for example "a door opens"')
    if len(query) > LONGEST_QUERY:
        raise QueryError(
            f"the query has {len(query):,} characters; say what to look for in {LONGEST_QUERY:,} "
            "at most"
        )
    if not is_text(query):
        raise QueryError(f"the query {query!a} is not UTF-8 text; type it again")
    try:
        return Question(
            video=str(video),
            query=query.strip(),
            captions=None if captions is None else str(captions),
            within=within,
            every_time=every_time,
        )
    except ValidationError as exc:
        raise QueryError(str(exc.errors()[0]["msg"]).removeprefix("Value error, ")) from None
