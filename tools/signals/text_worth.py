"""Which captions of the screen show the text that is asked for, and how well."""

from __future__ import annotations

from collections.abc import Sequence

from tools.signals.ask import Ask
from tools.signals.claims import TEXT_PRECISION, read_screen_text
from tools.signals.screen_text import text_fit
from tools.signals.text_forms import FORMS, has_address, is_other_currency, is_price
from tools.timeline import Caption, Interval

AS_GOOD = 0.85
"""Of the best fit: a text that fits less well is another one."""

SPECK_SIGNS, BESIDE_S = 2, 1.05
"""So few letters and digits, with no text within these seconds, are as often a pattern as text."""


def text_worth(query: str, ask: Ask, captions: Sequence[Caption]) -> dict[int, float]:
    """The worth of the captions that show it, by index.

    Args:
        query: The question, which tells the currency of a price.
        ask: What is understood of it.
        captions: Of any source, in any order.
    """
    fits = _fits(query, ask, captions)
    worth = {index: TEXT_PRECISION * fit for index, fit in fits.items()}
    if not ask.text:
        specks = _specks(fits, captions)
        worth = {index: fit for index, fit in worth.items() if index not in specks}
    # Beside the text itself, its words here and there are something else.
    least = AS_GOOD * max(worth.values(), default=0.0)
    return {index: fit for index, fit in worth.items() if fit >= least}


def specks_of(ask: Ask, captions: Sequence[Caption]) -> list[Interval]:
    """Where a sign or two were read for a moment, which may be a pattern."""
    return [captions[index].span for index in sorted(_specks(_fits("", ask, captions), captions))]


def _fits(query: str, ask: Ask, captions: Sequence[Caption]) -> dict[int, float]:
    return {
        index: fit
        for index, one in enumerate(captions)
        if one.source == "screen" and (fit := _fit(query, ask, read_screen_text(one.text)))
    }


def _fit(query: str, ask: Ask, shown: str) -> float:
    if ask.form:
        return float(FORMS[ask.form].search(shown) is not None)
    if ask.itself and not is_price(ask.itself):
        return float(has_address(ask.itself, shown))
    return 0.0 if is_other_currency(query, shown) else text_fit(ask.text or (), shown)


def _specks(fits: dict[int, float], captions: Sequence[Caption]) -> set[int]:
    in_time = sorted(fits, key=lambda index: captions[index].span)
    specks = set()
    for place, index in enumerate(in_time):
        own = captions[index]
        beside = [captions[i] for i in in_time[max(0, place - 1) : place + 2] if i != index]
        is_alone = all(
            one.start_s > own.end_s + BESIDE_S or one.end_s < own.start_s - BESIDE_S
            for one in beside
        )
        if is_alone and sum(map(str.isalnum, read_screen_text(own.text))) <= SPECK_SIGNS:
            specks.add(index)
    return specks
