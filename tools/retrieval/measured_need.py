"""Whether a question asks for what is measured of the picture and things in it, or for its text."""

from __future__ import annotations

import re
from typing import Literal

from tools.retrieval.question import parts_of, read_question
from tools.retrieval.temporal_query import Related, Single, texts_of
from tools.signals.ask import Ask
from tools.signals.bare_order import edge_named, read_bare_order
from tools.signals.said_times import take_stretch, why_no_time
from tools.signals.signal_query import understand
from tools.signals.visible_words import names_title


def measured_need(
    query: str, *, duration_s: float | None = None
) -> Literal["picture", "text"] | None:
    """What an answer needs beside captions; None where no sense knows what is asked for.

    "Something enters" is measured too: captions that tell of it in other words may miss it.

    Args:
        query: A question in English; one with an order in it needs what one of its parts does.
        duration_s: Length of the video. A time that it has says where to look, and is not read:
            "at 1:20". Where it is not known, or the video is shorter, a clock may show that time,
            unless it is asked what is there then: "what happens at 1:20?".
    """
    if why_no_time(query):
        return None
    rest, stretch = take_stretch(query)
    asked = read_question(query)
    is_of_video = asked.is_open or asked.at_s is not None
    if stretch and (is_of_video or (duration_s is not None and stretch.within(duration_s))):
        query = rest
    asks = [understand(query), *map(understand, _texts_in(query))]
    needed = [ask for ask in asks if not ask.unknown]
    is_written = _names_number(query) or names_title(query)
    if is_written or any(_is_for_text(ask) for ask in needed):
        return "text"
    return "picture" if needed else None


def split_measured(query: str) -> Related | None:
    """The parts of "text while the camera is still", where each of them is measured."""
    found = _MEANWHILE.fullmatch(query.strip(" .?!"))
    if not found or any(understand(found[name]).unknown for name in ("what", "to")):
        return None
    return Related(Single(found["what"]), "while", (Single(found["to"]),))


_MEANWHILE = re.compile(r"(?P<what>\S.+?),? (?:while|when|as long as) (?P<to>.+)", re.IGNORECASE)


def can_be_measured(query: str) -> bool:
    """Whether every part of a question is one that the classical describer understands."""
    if not understand(query).unknown:
        return True
    return not any(understand(text).unknown for text in _texts_in(query))


def _texts_in(query: str) -> list[str]:
    """The parts of a question that are looked for each: of "before the last cut", the last cut."""
    if order := read_bare_order(query):
        return [text for text in order.texts if not edge_named(text)]
    return list(texts_of(parts_of(query)))


def may_be_read(query: str) -> bool:
    """Whether its words may stand on the screen though nobody says so: a number, a name, quotes."""
    asks = [understand(query), *map(understand, _texts_in(query))]
    is_named = re.search(r"\S\s+(?!I\b)[A-Z]", query) is not None
    return is_named or any(map(_is_for_text, asks)) or any(sign.isdigit() for sign in query)


def _is_for_text(ask: Ask) -> bool:
    return ask.text is not None


def _names_number(query: str) -> bool:
    """A number of several digits, such as a price, is seldom described and often written."""
    return sum(sign.isdigit() for sign in query) > 2
