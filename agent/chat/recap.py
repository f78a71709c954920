"""An earlier answer told again: "are you sure?", "how long was it?", "show me"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.chat.turns import VideoResult, focus, read_captions
from agent.chat.wording import say_moment
from tools.clock import clock
from tools.timeline import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.chat.access import Tell, VideoAccess
    from agent.chat.follow_up import Edge, FollowUp
    from agent.chat.turns import ChatAnswer, Moment
    from agent.grounding import VideoFacts

AROUND_S = 2.0
"""What is read on either side of where the surest interval begins: this shows whether it does."""

TOLD = 5

AT_THE_END_S = 0.5
"""An answer that ends so close to the video's end lasts to it."""


def recap(
    follow_up: FollowUp, video: str, turns: Sequence[ChatAnswer], access: VideoAccess, tell: Tell
) -> VideoResult:
    """When it was, how long, how surely, and the captions where it begins.

    Args:
        follow_up: Of kind ``recap``; names a turn of these.
        video: The one that the turn is about.
        turns: Those before.
        access: Reads its captions.
        tell: Receives events.
    """
    meant = next(turn for turn in turns if turn.turn == follow_up.turn)
    result, number = meant.result, follow_up.interval
    shown = result.intervals if number is None else result.intervals[number - 1 : number]
    best = focus(meant, number)
    if best is None:
        return VideoResult(video=result.video, outcome="read", words=_why_none(result))
    facts, captions = access.read(video, tell=tell)
    edge_s = best.end_s if follow_up.edge == "end" else best.start_s
    around = Interval(max(0.0, edge_s - AROUND_S), min(facts.duration_s, edge_s + AROUND_S))
    said = [_told(one, follow_up.edge, facts) for one in shown[:TOLD]]
    if len(shown) > TOLD:
        said.append(f"and {len(shown) - TOLD} more")
    return VideoResult(
        video=facts,
        outcome="read",
        words="; ".join(said) + ("" if follow_up.edge else access.door.recap_end),
        intervals=shown,
        captions=tuple(read_captions(captions, around)),
    )


def _told(moment: Moment, edge: Edge | None, video: VideoFacts) -> str:
    if edge == "start":
        return f"it starts at {clock(moment.start_s)}: {say_moment(moment)}"
    if edge == "end" and moment.end_s >= video.duration_s - AT_THE_END_S:
        return f"it lasts to the end of the video, {clock(moment.end_s)}: {say_moment(moment)}"
    if edge == "end":
        return f"it ends at {clock(moment.end_s)}: {say_moment(moment)}"
    return f"{say_moment(moment)}, {moment.span.length_s:.1f} s long"


def _why_none(result: VideoResult) -> str:
    """An answer without an interval, with its reasons and what came closest."""
    closest = max(result.candidates, key=lambda one: one.confidence or 0.0, default=None)
    reasons = [
        result.words,
        result.reasoning if result.reasoning != result.words else "",
        f"The closest was {say_moment(closest)}." if closest and not result.found else "",
    ]
    first, *rest = [reason for reason in reasons if reason]
    return " ".join([f"{first}:", *rest] if rest else [first])
