"""Two questions in one turn are refused: each is answered by itself."""

import re
from typing import Final

from agent.chat.follow_up import FollowUpError
from tools.text import shorten

FIRST_CHARS = 200

_QUOTED: Final = re.compile(r"[\"“”«»„]")
_AUXILIARY = r"(?:is|are|was|were|does|do|did|has|have|had|can|will)"
_ASKS = rf"(?:(?:when|where|why|how(?: long| often)?|who|what) {_AUXILIARY}|{_AUXILIARY})"
_TWO_MARKS: Final = re.compile(r"(?P<first>.+?\w.*?)\?[\s.!?]*(?:and |or |also )?\s*(?=\w).+")
_TWO_CLAUSES: Final = re.compile(
    rf"(?P<first>(?:and |so |but )?{_ASKS} .+?),? (?:and|or) {_ASKS} "
    r"(?:(?:he|she|it|they|the|an?|his|her|their) ).+",
    re.IGNORECASE,
)


def check_is_one(said: str) -> None:
    """Let one question pass.

    Raises:
        FollowUpError: If there are two; it names the first.
    """
    words = re.sub(r"\s+", " ", said).strip()
    if _QUOTED.search(words):
        return
    if match := _TWO_MARKS.fullmatch(words) or _TWO_CLAUSES.fullmatch(words):
        first = shorten(match["first"].strip(), FIRST_CHARS)
        raise FollowUpError("unclear", f"one question at a time, please: ask “{first}?” first")
