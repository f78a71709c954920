"""Words that are asked for as words, found where a caption says just them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tools.ranking import Ranking, Window
from tools.signals.choosing import chosen
from tools.signals.screen_text import ANY_ORDER, text_fit
from tools.signals.signal_query import understand
from tools.signals.text_forms import is_other_currency
from tools.timeline import Caption, Interval

WINDOWS_LIMIT = 10

IN_WORDS = 0.9
"""Confidence that words which were heard, or described as written, are those asked for."""


def ground_words(query: str, captions: Sequence[Caption]) -> Ranking | None:
    """Find words that the question quotes or names as words; None where they are nowhere.

    Args:
        query: A question in English.
        captions: Of one track, in time order: what is said, or what somebody says is seen.
    """
    ask = understand(query)
    wanted = ask.text
    if not wanted or ask.unknown:
        return None
    fits = np.array([_fit(query, wanted, _words_in(one)) for one in captions])
    hits = np.flatnonzero(fits > ANY_ORDER)
    if not hits.size:
        return None
    runs: list[Interval] = []
    for index in hits.tolist():
        span = captions[index].span
        if runs and span.start_s <= runs[-1].end_s:
            runs[-1] = Interval(runs[-1].start_s, max(runs[-1].end_s, span.end_s))
        else:
            runs.append(span)
    windows = tuple(Window(span, IN_WORDS, IN_WORDS) for span in runs)
    events = chosen(windows, ask)
    if not events or ask.is_negated:
        return None
    ranked = (*events, *(one for one in windows if one not in events))
    words = " ".join(wanted)
    count = "1 caption" if hits.size == 1 else f"{hits.size} captions"
    return Ranking(
        "found",
        ranked[:WINDOWS_LIMIT],
        events,
        np.where(fits > ANY_ORDER, fits, 0.0),
        f"Looked for the words “{words}”: they stand in {count}.",
        is_exact=True,
    )


def _fit(query: str, wanted: Sequence[str], said: str) -> float:
    return 0.0 if is_other_currency(query, said) else text_fit(wanted, said)


def _words_in(caption: Caption) -> str:
    """What is said; of a description, what it quotes or writes in capitals: the rest is not shown.

    ``STOP`` in "a sign with STOP on it" is a word, and "cars stop" is not.
    """
    if caption.source != "vision":
        return caption.text
    return " ".join(next(filter(None, found)) for found in _SHOWN.findall(caption.text))


_SHOWN = re.compile(
    r"[“\"«]([^”\"»]+)[”\"»]|(?<!\w)['‘]([^'’]+)['’](?!\w)|(\b[A-Z][A-Z0-9]+\b(?: [A-Z0-9]+\b)*)"
)
