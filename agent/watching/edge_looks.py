"""Looks at up to eight frames around an edge in one request, and has a wrong reply mended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
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
from agent.watching.watcher import cost_between, metered
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


def look_at_edge(  # noqa: PLR0911  # what one look takes, none of which belongs together
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
        refused = ""
        said: EdgeReply | None = None
        for _ in range(MAX_REPLIES):
            prompt = edge_prompt(prompts, asked, frames=len(frames), refused=refused)
            several = captioner.shown_together(prompt, track.prompt_version, frames=len(frames))
            if several is None:
                return None
            allow(1)
            before = metered(several)
            try:
                text = next((one for one in several.describe(frames, seen=()) if one), None)
            except UsedUpError:
                raise
            except CaptionerError:
                # Many services take one picture a request; else, single ones fail as well.
                return None
            cost = cost_between(1, before, metered(several))
            spend(cost)
            total = total.plus(cost)
            if isinstance(text, NoCaption):
                return None
            if text is None:
                raise CaptionerError(
                    f"{captioner.model} said nothing of the frames from {span.start_s:.2f} to "
                    f"{span.end_s:.2f} s in time"
                )
            try:
                said = parse_edge_reply(text.text, frames=len(frames))
            except AnswerError as exc:
                refused = str(exc)
            else:
                break
        if said is None:
            # What was paid for it is told all the same.
            failed = (
                f"the edge between {span.start_s:.2f} and {span.end_s:.2f} s stays as it is: "
                f"{captioner.model} gave no usable reply ({shorten(refused, 160)})"
            )
            return EdgeLook((), (), total, failed)
        known = _captions(said, frames, span, record, track)
        vectors = embedder.embed([one.text for one in known])
        store.add(known, vectors, during=record)
    return EdgeLook(known, [is_under_way(one.text) for one in known], total)


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
