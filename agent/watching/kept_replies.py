"""What a video model said of a question, kept in the store: nobody pays for the same reply twice.

It is a caption of a track of its own, so that forgetting a video forgets it too. Only a reply that
can be read as an answer is kept: what was refused may be said better next time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.errors import AnswerError
from agent.grounding import Cost
from agent.reasoning.direct import DIRECT_MODE, DirectReply, parse_direct
from tools.timeline import Caption, Interval, Track

UNKNOWN = Cost(usd=None, calls=1)
"""What a reply cost that an earlier version kept."""

if TYPE_CHECKING:
    from agent.watching.opened import Opened
    from tools.store.store import VideoRecord


def known_reply(
    opened: Opened, record: VideoRecord, track: Track, stretches: Sequence[Interval]
) -> DirectReply | None:
    """What was said before, with the frames that were shown, at no cost; None if nothing was.

    Args:
        opened: Has the store.
        record: The video.
        track: See ``reply_track``.
        stretches: What is to be shown.
    """
    for caption in opened.store.read(record.video_id, track)[0]:
        if caption.span != _whole(stretches):
            continue
        try:
            kept = json.loads(caption.text)
            said, note = str(kept["said"]), str(kept["note"])
            shown_by = Track(track.model, str(kept["prompt"]), str(kept["mode"]))
            spans = [Interval(float(start_s), float(end_s)) for start_s, end_s in kept["frames"]]
            paid = Cost.model_validate(kept.get("paid", UNKNOWN))
        except (ValueError, KeyError, TypeError):
            continue  # Of another version.
        frames = [stand_in(record.video_id, span, shown_by) for span in spans]
        return DirectReply(said, tuple(frames), kept=paid, note=note)
    return None


def keep_reply(
    opened: Opened,
    record: VideoRecord,
    track: Track,
    stretches: Sequence[Interval],
    reply: DirectReply,
    *,
    paid: Cost,
) -> None:
    """Keep a reply that can be read as an answer, and what it took; any other is forgotten."""
    spans = [frame.span for frame in reply.frames]
    try:
        parse_direct(reply.text, spans)
    except AnswerError:
        return
    if reply.cut_off:
        return
    shown_by = reply.frames[0].track
    kept = {
        "said": reply.text,
        "note": reply.note,
        "prompt": shown_by.prompt_version,
        "mode": shown_by.mode,
        "frames": [[span.start_s, span.end_s] for span in spans],
        "paid": paid.model_dump(),
    }
    caption = Caption(record.video_id, _whole(stretches), json.dumps(kept), "vision", track)
    # No search by likeness looks for it; any vector will do.
    opened.store.add([caption], opened.embedder.embed([track.mode]), during=record)


def reply_track(model: str, prompt_version: str, told: str, stretches: Sequence[Interval]) -> Track:
    """The track that a reply is kept in: of one model, prompt, question and parts of the video."""
    asked = json.dumps([told, [[one.start_s, one.end_s] for one in stretches]])
    digest = hashlib.sha256(asked.encode()).hexdigest()[:12]
    return Track(model, f"{prompt_version}.{digest}", "said")


def stand_in(video_id: str, span: Interval, track: Track) -> Caption:
    """The caption that stands for a frame that a video model was shown."""
    assert track.mode.startswith(DIRECT_MODE)
    return Caption(video_id, span, f"(a frame that {track.model} was shown)", "vision", track)


def _whole(stretches: Sequence[Interval]) -> Interval:
    return Interval(stretches[0].start_s, stretches[-1].end_s)
