"""Looks at up to eight frames around an edge in one request, and has a wrong reply mended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import AnswerError, CaptionerError
from agent.grounding import Cost
from agent.reasoning.edge_reply import (
    EdgeLook,
    EdgeReply,
    edge_prompt,
    is_under_way,
    parse_edge_reply,
)
from agent.watching.model_costs import cost_between, metered
from tools.captioners.protocol import NoCaption, TakesSeveral
from tools.errors import UsedUpError
from tools.text import one_line, shorten
from tools.timeline import Caption, Interval, Track

if TYPE_CHECKING:
    from prompts.catalog import Prompts
    from tools.captioners.protocol import Captioner
    from tools.embedders.embedder import Embedder
    from tools.store.store import CaptionStore, VideoRecord
    from tools.timeline import Frame

MAX_REPLIES = 2
"""Requests for one edge: a reply that is refused is told why, and asked again once."""

QUERY_CHARS = 1000

FEWEST_TOGETHER = 3
"""With fewer frames nothing lies between those at the ends."""


def look_at_edge(  # what one look takes
    captioner: Captioner,
    record: VideoRecord,
    query: str,
    span: Interval,
    *,
    frames_of: Callable[[VideoRecord, Interval], Sequence[Frame]],
    store: CaptionStore,
    embedder: Embedder,
    prompts: Prompts,
    allow: Callable[[int], None],
    spend: Callable[[Cost], None],
) -> EdgeLook | None:
    """Ask about the frames of a stretch together; what was said before is not asked again.

    Args:
        captioner: Who looks.
        record: The video.
        query: What is looked for.
        span: The stretch; a frame at its start and one at its end are among those shown.
        frames_of: Reads up to eight frames of a stretch.
        store: Receives what is said of each frame, under a track of its own.
        embedder: Embeds it.
        prompts: Word the request.
        allow: Given how many requests are to be made; what it raises ends the look.
        spend: Given what each request took.

    Returns:
        None where the captioner or its service takes one picture at a time.

    Raises:
        CaptionerError: If no reply was accepted, or the captioner cannot go on.
        VideoError: If the file cannot be read.
    """
    if not isinstance(captioner, TakesSeveral):
        return None
    asked = shorten(one_line(query), QUERY_CHARS)
    version = prompts.version("refine_edge")
    digest = hashlib.sha256(f"{version} {asked}".encode()).hexdigest()[:8]
    mode = f"frame@{1 / span.length_s:g}/s together {span.start_s:g}-{span.end_s:g}"
    track = Track(captioner.model, f"{version}.{digest}", mode)
    known, _ = store.read(record.video_id, track)
    total = Cost()
    if not known:
        frames = frames_of(record, span)
        if len(frames) < 2:
            return EdgeLook((), (), total)
        answered = _ask(
            captioner,
            frames,
            word=lambda count, refused: edge_prompt(prompts, asked, frames=count, refused=refused),
            version=track.prompt_version,
            allow=allow,
            spend=spend,
        )
        if answered is None:
            return None
        total, said = answered.cost, answered.said
        if said is None:
            # What was paid for it is told all the same.
            failed = (
                f"the edge between {span.start_s:.2f} and {span.end_s:.2f} s stays as it is: "
                f"{captioner.model} gave no usable reply ({shorten(answered.refused, 160)})"
            )
            return EdgeLook((), (), total, failed)
        frames = answered.frames
        known = _captions(said, frames, span, record, track)
        vectors = embedder.embed([one.text for one in known])
        store.add(known, vectors, during=record)
    return EdgeLook(known, [is_under_way(one.text) for one in known], total)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What was said of some frames together, or why it was refused, and what that took."""

    said: EdgeReply | None
    refused: str
    frames: Sequence[Frame]
    cost: Cost


def _ask(
    captioner: TakesSeveral,
    frames: Sequence[Frame],
    *,
    word: Callable[[int, str], str],
    version: str,
    allow: Callable[[int], None],
    spend: Callable[[Cost], None],
) -> _Answered | None:
    """Show frames together, or as many of them as it takes; None where it takes too few."""
    refused, total = "", Cost()
    replies = 0
    while replies < MAX_REPLIES:
        if captioner.most_together is not None:
            if captioner.most_together < FEWEST_TOGETHER:
                return None
            frames = _with_ends(frames, captioner.most_together)
        several = captioner.shown_together(word(len(frames), refused), version, frames=len(frames))
        if several is None:
            return None
        allow(1)
        before = metered(several)
        try:
            text = next((one for one in several.describe(frames, seen=()) if one), None)
        except UsedUpError:
            raise
        except CaptionerError:
            if len(frames) > (captioner.most_together or len(frames)):
                continue  # It has said how many it takes.
            # Many services take one picture a request; else, single ones fail as well.
            return None
        replies += 1
        cost = cost_between(1, before, metered(several))
        spend(cost)
        total = total.plus(cost)
        if isinstance(text, NoCaption):
            return None
        if text is None:
            raise CaptionerError(
                f"{several.model} said nothing of the frames from {frames[0].time_s:.2f} to "
                f"{frames[-1].time_s:.2f} s in time"
            )
        try:
            return _Answered(parse_edge_reply(text.text, frames=len(frames)), "", frames, total)
        except AnswerError as exc:
            refused = str(exc)
    return _Answered(None, refused, frames, total)


def _with_ends(frames: Sequence[Frame], most: int) -> Sequence[Frame]:
    """As many of these, the first and the last among them."""
    if len(frames) <= most:
        return frames
    return [frames[round(place * (len(frames) - 1) / (most - 1))] for place in range(most)]


def _captions(
    said: EdgeReply, frames: Sequence[Frame], span: Interval, record: VideoRecord, track: Track
) -> list[Caption]:
    starts_s = [frame.time_s for frame in frames]
    step_s = (starts_s[-1] - starts_s[0]) / (len(starts_s) - 1)
    until_s = min(max(span.end_s, starts_s[-1] + step_s), record.duration_s)
    ends_s = [*starts_s[1:], until_s]
    return [
        Caption(record.video_id, Interval(start_s, end_s), one.text, "vision", track)
        for one, start_s, end_s in zip(said.frames, starts_s, ends_s, strict=True)
        if end_s > start_s
    ]
