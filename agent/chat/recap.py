"""An earlier answer told again: "are you sure?", "how long was it?", "show me"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.chat.turns import VideoResult, focus, read_captions
from agent.chat.wording import say_moment
from tools.timeline import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.chat.access import Tell, VideoAccess
    from agent.chat.follow_up import FollowUp
    from agent.chat.turns import ChatAnswer

AROUND_S = 2.0
"""What is read on either side of where the surest interval begins: this shows whether it does."""

TOLD = 5


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
        return VideoResult(video=result.video, outcome="read", words=result.words)
    facts, captions = access.read(video, tell=tell)
    start = Interval(
        max(0.0, best.start_s - AROUND_S), min(facts.duration_s, best.start_s + AROUND_S)
    )
    said = [f"{say_moment(one)}, {one.span.length_s:.1f} s long" for one in shown[:TOLD]]
    if len(shown) > TOLD:
        said.append(f"and {len(shown) - TOLD} more")
    return VideoResult(
        video=facts,
        outcome="read",
        words=f"{'; '.join(said)} (“cut that out” writes it to a file)",
        intervals=shown,
        captions=tuple(read_captions(captions, start)),
    )
