"""The ranking of a question in parts: each part is grounded by itself, then their order decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tools.clock import clock_span
from tools.grounding.grounder import claim_events
from tools.grounding.lexical import words_of
from tools.grounding.presence import GRANTED_PRESENCE, LITERAL_PRESENCE, OPEN_PRESENCE
from tools.ranking import PartFound, Ranking, Verdict, Window
from tools.retrieval.order import Scored, Seen, evaluate
from tools.retrieval.temporal_query import (
    LAST,
    ORDINALS,
    Nth,
    Part,
    Related,
    Relation,
    Single,
    has_lost_order,
    order_words,
    repeated_texts,
    texts_of,
    unread_order,
)
from tools.timeline import Interval

MOST_WINDOWS = 10

RIVAL_SHARE = 0.7
"""What may as well be part of what it should come after, if it is as sure as this share of the
answer, leaves open which of the two is meant."""

SHORT_WORDS = 7
"""Words of a question in which the order is half of what is asked. A longer sentence tells one
event in several steps, of which one caption may tell: answered whole, a third of them is right."""

IN_ORDER_SHARE = 0.6
"""A window that stands in the order asked for, but is none of the times that it is taken to happen,
is the answer only if it is as sure as this share of the surest window."""


def rank_in_order(
    query: str,
    part: Part,
    ask: Callable[[str], Ranking],
    times_of: Callable[[str, bool], Sequence[Window]],
    *,
    is_one_of_many: bool = False,
    is_presupposed: bool = False,
    are_apart: bool = False,
) -> Ranking:
    """Ask the parts of a question, and keep the windows that stand in the order it wants.

    A part that is not found by itself is left out where the others still tell an order ("between
    … and …"), unless it was measured, or cannot be told. Else the question is asked as one
    sentence: there are no times to compare, and the sentence may still be said by one caption. The
    reasoning says which.

    Args:
        query: The whole question.
        part: What ``tools.retrieval.temporal_query.split_query`` makes of it.
        ask: Ranks windows for some words.
        times_of: All the times that some words are taken to happen, apart from each other; also
            told whether they are known to happen more than once.
        is_one_of_many: Whether other videos are asked the same question: then nothing is taken for
            granted about this one, and where a part is not found, neither is the question.
        is_presupposed: Whether the question takes it for granted that all is so, as "why did the
            dog bark after the man left" does: then no order can speak against it.
        are_apart: Whether different kinds of captions tell of the parts: then one that overlaps
            another does not show that both are told of by one caption.
    """
    if isinstance(part, Single):
        whole = ask(query)
        if is_presupposed and not is_one_of_many:
            whole = for_granted(whole)
        return _as_one_sentence(whole, part)
    rankings = {text: ask(text) for text in texts_of(part)}
    main = texts_of(part)[0]
    repeated = repeated_texts(part)
    times = {text: tuple(times_of(text, text in repeated)) for text in rankings}
    parts = tuple(PartFound(text, times[text]) for text in rankings)
    missed = [
        text
        for text, ranking in rankings.items()
        if not _is_there(ranking, granted=text != main and not is_one_of_many)
    ]
    may_leave_out = not is_one_of_many and all(
        one.verdict == "not_found" and not one.is_exact
        for one in (rankings[text] for text in missed)
    )
    left_out = missed if may_leave_out and _is_order_left(part, missed) else []
    if missed and not left_out:
        if is_one_of_many:
            why = f"{_quoted(missed)} could not be found."
            verdict = "not_found" if rankings[main].verdict == "found" else rankings[main].verdict
            return replace(rankings[main], verdict=verdict, events=(), reasoning=why, parts=parts)
        whole = for_granted(ask(query)) if is_presupposed else ask(query)
        answer = _without_missed(part, whole, rankings, missed, is_presupposed=is_presupposed)
        return replace(answer, parts=parts)
    seen = {
        text: Seen((), (), ()) if text in left_out else _seen(ranking, times[text])
        for text, ranking in rankings.items()
    }
    windows = tuple(
        Window(span, probability, probability)
        for span, probability in evaluate(part, seen, may_drop=True)[:MOST_WINDOWS]
    )
    is_found = bool(windows) and (
        bool(evaluate(part, seen, among="times", may_drop=True))
        or windows[0].confidence >= IN_ORDER_SHARE * max(sure for _, sure in seen[main].windows)
    )
    if not is_found and is_presupposed and not is_one_of_many:
        noted = _noted(for_granted(ask(query)), "its parts were not found in it.")
        return replace(noted, parts=parts)
    if not (is_found or are_apart) and _happen_together(part, seen):
        why = "its parts happen at the same time, as far as captions tell."
        return replace(_noted(ask(query), why), parts=parts)
    told = explain(part, found=is_found, times=len(seen[main].times), left_out=left_out)
    verdict = "found" if is_found else "not_found"
    if is_found and is_presupposed and (rival := _rival_of(part, rankings, windows[0])):
        verdict, told = "cannot_tell", _too_coarse(part, rival)
    windows = tuple(_no_surer(windows, [seen[text] for text in texts_of(part)[1:]]))
    presences = [
        one.presence
        for text, one in rankings.items()
        if one.presence is not None and text not in left_out
    ]
    return replace(
        rankings[main],
        verdict=verdict,
        windows=windows or rankings[main].windows,
        events=claim_events(windows) if verdict == "found" else (),
        reasoning=told,
        presence=min(presences, default=None),
        parts=parts,
    )


def _no_surer(windows: Iterable[Window], beside: Sequence[Seen]) -> list[Window]:
    """The windows, none surer than what places it; their scores, and so their order, stay.

    The least of them, and not their product: of 44 such answers to QVHighlights and NExT-GQA both
    come as close to how many are right, and two parts of one scene are seldom wrong apart.

    Args:
        windows: The answer.
        beside: What is known of each thing that places it; of one that was left out, nothing.
    """
    known = [[sure for _, sure in (*one.events, *one.times)] for one in beside]
    most = min((max(sure) for sure in known if sure), default=1.0)
    return [replace(one, confidence=min(one.confidence, most)) for one in windows]


def _without_missed(
    part: Part,
    whole: Ranking,
    rankings: Mapping[str, Ranking],
    missed: Sequence[str],
    *,
    is_presupposed: bool,
) -> Ranking:
    """The answer to the sentence as a whole, where a part of it could not be found by itself."""
    main = texts_of(part)[0]
    absent = [rankings[text] for text in missed if _is_known_absent(rankings[text])]
    if absent and whole.verdict == "cannot_tell":
        return absent[0]
    why = f"{_quoted(missed)} could not be found by itself."
    if is_presupposed:
        return _noted(whole, why)
    is_short = sum(len(words_of(text)) for text in rankings) < SHORT_WORDS
    is_answer = whole.verdict == "found" and main not in missed
    if is_short and is_answer and isinstance(part, Related) and part.relation != "while":
        told = f"{why} So whether it is {part.relation} that cannot be told."
        return replace(whole, verdict="cannot_tell", events=(), reasoning=told)
    is_open = _is_beside(part, whole, rankings)
    return _noted(_unplaced(whole, rankings[main]) if is_open else whole, why)


def _quoted(texts: Sequence[str]) -> str:
    return " and ".join(f"“{text}”" for text in texts)


def for_granted(ranking: Ranking) -> Ranking:
    """Found, unless it is unlikely: a user who asks why something happens has seen it."""
    is_unsure = ranking.verdict != "found" and (ranking.presence or 0.0) >= GRANTED_PRESENCE
    if not (is_unsure and ranking.windows):
        return ranking
    return replace(
        ranking,
        verdict="found",
        events=claim_events(ranking.windows),
        reasoning="That it happens is taken from the question; these captions are the closest.",
    )


def _is_there(ranking: Ranking, *, granted: bool) -> bool:
    if ranking.verdict == "found":
        return True
    return granted and ranking.presence is not None and ranking.presence >= OPEN_PRESENCE


def _is_known_absent(ranking: Ranking) -> bool:
    """Whether it was measured that it never happens, so that no number of it does either."""
    return ranking.verdict == "not_found" and ranking.is_exact


def _seen(ranking: Ranking, times: Sequence[Window]) -> Seen:
    """The ranking and the times put together: each has some that the other does not."""
    windows = [*ranking.windows, *(one for one in times if one.span not in _spans(ranking.windows))]
    # An event's edges are less sure than itself: whatever else it may be like counts too.
    surest = ranking.events or claim_events(ranking.windows)
    events = [
        window
        for window in ranking.windows
        if any(window.span.overlap_s(event.span) > 0 for event in surest)
    ]
    apart = [event for event in surest if all(event.span.overlap_s(one.span) == 0 for one in times)]
    return Seen(_scored(windows), _scored(events), _scored([*times, *apart]))


def _spans(windows: Sequence[Window]) -> set[Interval]:
    return {window.span for window in windows}


def _scored(windows: Sequence[Window]) -> list[Scored]:
    return [(window.span, window.confidence) for window in windows]


def _as_one_sentence(ranking: Ranking, part: Part) -> Ranking:
    words = order_words(part)
    if ranking.verdict == "not_found" and (unread := unread_order(part)):
        why = f"“{unread}” is not read as an order, and without it nothing was found."
        return replace(ranking, verdict="cannot_tell", reasoning=why)
    if not words:
        return ranking
    said = " and ".join(f"“{word}”" for word in words)
    are = "is" if len(words) == 1 else "are"
    note = f"It was asked as one sentence: {said} {are} not read as an order in time."
    is_literal = ranking.is_exact or (ranking.presence or 0.0) >= LITERAL_PRESENCE
    if ranking.verdict == "found" and has_lost_order(part) and not is_literal:
        return replace(ranking, verdict="cannot_tell", events=(), reasoning=note)
    return replace(ranking, reasoning=f"{ranking.reasoning} {note}")


def _is_beside(part: Part, whole: Ranking, rankings: Mapping[str, Ranking]) -> bool:
    """Whether the sentence as a whole is found where that is which it should be before or after."""
    if not isinstance(part, Related) or part.relation == "while":
        return False
    spans = [
        event.span for one in part.to for text in texts_of(one) for event in rankings[text].events
    ]
    return any(
        2 * event.span.overlap_s(span) > event.span.length_s
        for event in whole.events
        for span in spans
    )


def _unplaced(ranking: Ranking, alone: Ranking) -> Ranking:
    """No answer where only what it should lie beside was found: it is as absent as by itself."""
    why = "What was found is what it should lie beside."
    verdict: Verdict = "not_found" if alone.verdict == "not_found" else "cannot_tell"
    return replace(ranking, verdict=verdict, events=(), reasoning=why)


def _noted(ranking: Ranking, why: str) -> Ranking:
    note = f"It was asked as one sentence, without its order: {why}"
    return replace(ranking, reasoning=f"{ranking.reasoning} {note}")


def _happen_together(part: Part, seen: Mapping[str, Seen]) -> bool:
    """Whether what is asked for overlaps what it is placed by: neither is before the other."""
    what, *others = (seen[text].events for text in texts_of(part))
    return any(one.overlap_s(other) > 0 for one, _ in what for some in others for other, _ in some)


def _rival_of(part: Part, rankings: Mapping[str, Ranking], best: Window) -> Window | None:
    """What is nearly as much like the main part as the answer, in the time that it should follow.

    Only where both are of one thing, as its pronoun says: a mug that is put down after washing it
    may be put down in the last captions of the washing. Of a statement, it is for the order to say.
    """
    if not isinstance(part, Related) or not isinstance(part.what, Single):
        return None
    to = part.to[0]
    if part.relation not in {"after", "before"} or not isinstance(to, Single):
        return None
    if not _SAME_THING.search(to.text):
        return None
    beside = [event.span for event in rankings[to.text].events]
    for one in rankings[part.what.text].windows:
        is_like = one.confidence >= RIVAL_SHARE * best.confidence
        is_apart = one.span.overlap_s(best.span) == 0
        if is_like and is_apart and any(2 * one.span.overlap_s(it) > it.length_s for it in beside):
            return one
    return None


_SAME_THING = re.compile(r"\b(?:it|them)\b", re.IGNORECASE)


def _too_coarse(part: Part, rival: Window) -> str:
    what, beside = texts_of(part)[:2]
    return (
        f"“{what}” may also be at {clock_span(rival.span)}, where “{beside}” was found: captions "
        "are too coarse to tell which is meant."
    )


def _is_order_left(part: Part, missed: Sequence[str]) -> bool:
    """Whether something is still to be put in order without what was missed.

    A number is not: which time is the third depends on where the count begins.
    """
    if texts_of(part)[0] in missed or not isinstance(part, Related):
        return False
    whole = [one for one in part.to if set(texts_of(one)).isdisjoint(missed)]
    if whole or isinstance(part.what, Nth):
        return bool(whole)
    links = any(_is_link_left(one, part.relation, missed) for one in part.to)
    return links or _is_order_left(part.what, missed)


def _is_link_left(to: Part, relation: Relation, missed: Sequence[str]) -> bool:
    """Whether a link of a chain is left that something can be placed by."""
    if not isinstance(to, Related) or isinstance(to.what, Nth):
        return set(texts_of(to)).isdisjoint(missed)
    if texts_of(to.what)[0] not in missed:
        return True
    is_one_way = to.relation == relation in {"after", "before"}
    return is_one_way and _is_link_left(to.to[0], relation, missed)


def explain(part: Part, *, found: bool, times: int, left_out: Sequence[str] = ()) -> str:
    """What was found of the order of the parts, for the user.

    Args:
        part: The question.
        found: Whether something is as it asks.
        times: How often its main part happens.
        left_out: Parts that were not found, and were dropped.
    """
    if isinstance(part, Nth):
        seen = f"“{part.what.text}” was found {times} times" if times > 1 else "It was found once"
        if found:
            return f"{seen}; this is {_numbered(part.number)}."
        return f"{seen}; there is no {_numbered(part.number).removeprefix('the ')}."
    assert isinstance(part, Related)
    others = " and ".join(map(_counted, part.to))
    order = f"{_counted(part.what)} {part.relation} {others}"
    if left_out:
        said = " and ".join(f"“{text}”" for text in left_out)
        fits = "the others were found, and in this order" if found else "the others never are so"
        return f"{order}: {said} could not be found and was left out; {fits}."
    if found:
        how = "at the same time" if part.relation == "while" else "in this order"
        return f"{order}: each was found, and {how}."
    return f"Each part was found, but never {order}."


def _counted(part: Part) -> str:
    """What it is first of all, and which of several times."""
    said = f"“{texts_of(part)[0]}”"
    if not isinstance(part, Nth):
        return said
    return f"{said} ({_time_of(part.number)})"


def _time_of(number: int) -> str:
    if number == LAST:
        return "the last time"
    word = ORDINALS.get(number)
    return f"the {word} time" if word else _numbered(number)


def _numbered(number: int) -> str:
    if number == LAST:
        return "the last"
    return f"number {number}" if number > 0 else f"number {-number} from the end"
