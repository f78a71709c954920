"""What a chat says in words: how a turn was understood, and how it was answered."""

import re
from collections.abc import Sequence
from pathlib import Path

from agent.chat.follow_up import FollowUp
from agent.chat.turns import ChatAnswer, Moment, focus
from tools.clock import clock, clock_span

ORDINALS = {1: "first", 2: "second", 3: "third", -1: "last"}


def ordinal(which: int) -> str:
    """``first``, ``second``, ``4th``, ``last``, ``2nd but last``."""
    if which in ORDINALS:
        return ORDINALS[which]
    if which < 0:
        return f"{ordinal(-which)} but last" if which < -1 else "last"
    ending = "th" if 10 <= which % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(which % 10, "th")
    return f"{which}{ending}"


def say_understood(
    follow_up: FollowUp, turns: Sequence[ChatAnswer], *, videos: Sequence[str]
) -> str:
    """A follow-up in words, with the seconds that "that" stands for.

    Args:
        follow_up: How the turn was read.
        turns: Those before it.
        videos: All of the chat; which one is meant is said unless it is the only one.
    """
    place = say_place(follow_up, turns)
    shown = f" in {' and '.join(Path(path).name for path in follow_up.videos)}"
    is_clear = list(follow_up.videos) == list(videos) or not follow_up.videos
    where = "" if is_clear else shown
    if follow_up.kind == "cut":
        return f"cut out {place}{where}"
    if follow_up.kind == "recap":
        meant = next(turn for turn in turns if turn.turn == follow_up.turn)
        if follow_up.edge:
            return f"the {follow_up.edge} of the answer to “{meant.said}”"
        return f"the answer to “{meant.said}” once more"
    if follow_up.kind == "describe":
        return f"what the captions say {place}{where}"
    if follow_up.kind == "still_there":
        # “Is ‘who comes first’ there” is no English.
        query = follow_up.query or ""
        is_question = re.match(r"(?:who|what|which|when|where|how)\b", query, re.IGNORECASE)
        of = "the answer to " if is_question else ""
        return f"is {of}“{query}” there {place}{where}?"
    which = f"the {say_which(follow_up)} time of " if follow_up.which else ""
    which = "every time of " if follow_up.every_time else which
    return f"{which}“{follow_up.query}”{' ' if place else ''}{place}{where}"


def say_which(follow_up: FollowUp) -> str:
    """``second``; the first after something is the ``next``, the last before it ``previous``."""
    assert follow_up.which is not None
    beside = {("after", 1): "next", ("before", -1): "previous"}
    return beside.get((follow_up.relation, follow_up.which)) or ordinal(follow_up.which)


def say_place(follow_up: FollowUp, turns: Sequence[ChatAnswer]) -> str:
    """``after 1:10.0 (the end of the last answer)``; empty for anywhere."""
    relation = "" if follow_up.relation == "anywhere" else follow_up.relation
    times = [clock(time_s) for time_s in follow_up.times_s]
    if len(times) == 2:
        return (
            f"{'between ' if relation else ''}{times[0]} {'and' if relation else 'to'} {times[1]}"
        )
    if times:
        return f"{relation} {times[0]}"
    if follow_up.event:
        return f"{relation} “{follow_up.event}”".strip()
    turn = next((one for one in turns if one.turn == follow_up.turn), None)
    moment = focus(turn, follow_up.interval) if turn else None
    if turn is None or moment is None:
        return ""
    answer = "the last answer" if turn is turns[-1] else f"the answer to “{turn.said}”"
    if relation in {"after", "before"}:
        edge, name = (moment.end_s, "end") if relation == "after" else (moment.start_s, "start")
        return f"{relation} {clock(edge)} (the {name} of {answer})"
    return f"{relation} {clock_span(moment.span)} ({answer})".strip()


def say_moment(moment: Moment) -> str:
    """``0:32.0–0:40.0 (confidence 0.71)``."""
    sure = "" if moment.confidence is None else f" (confidence {moment.confidence:.2f})"
    return f"{clock_span(moment.span)}{sure}"


def say_spans(moments: Sequence[Moment], limit: int = 3) -> str:
    """The spans alone, the first few of them."""
    more = f" and {len(moments) - limit} more" if len(moments) > limit else ""
    return ", ".join(clock_span(moment.span) for moment in moments[:limit]) + more
