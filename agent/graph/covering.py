"""Which seconds of a video the captions cover, and why others have none."""

from collections.abc import Sequence

from agent.grounding import Coverage, Gap
from tools.kept_captions import once
from tools.store.store import CaptionGap, CaptionStore, VideoRecord
from tools.timeline import Caption, Interval

SEEN_SHARE = 0.9
"""If less of a video was described, nobody can say that something is not in it."""


def coverage_of(captions: Sequence[Caption], record: VideoRecord, store: CaptionStore) -> Coverage:
    """Which seconds the captions cover, given in time order, and why others have none."""
    missed = once(
        captions, ("missed", record.duration_s), lambda: _missed(captions, record.duration_s)
    )
    missed_s = sum(span.length_s for span in missed)
    noted = store.gaps(record.video_id, record.track) if missed else []
    return Coverage(
        seen_s=max(0.0, record.duration_s - missed_s),
        rate_hz=record.rate_hz,
        gaps=tuple(
            Gap(start_s=span.start_s, end_s=span.end_s, reason=_why(span, noted)) for span in missed
        ),
    )


def _missed(captions: Sequence[Caption], duration_s: float) -> list[Interval]:
    """The spans that no caption covers."""
    missed: list[Interval] = []
    covered_until_s = 0.0
    for caption in captions:
        if caption.start_s > covered_until_s:
            missed.append(Interval(covered_until_s, caption.start_s))
        covered_until_s = max(covered_until_s, caption.end_s)
    if covered_until_s < duration_s:
        missed.append(Interval(covered_until_s, duration_s))
    return missed


def _why(span: Interval, noted: Sequence[CaptionGap]) -> str:
    """Why the captioner gave no captions, each reason once."""
    return "; ".join(dict.fromkeys(gap.reason for gap in noted if gap.span.overlap_s(span) > 0))
