"""From an accepted answer in caption numbers to a ``Grounding`` in seconds, with its evidence."""

import shlex
from collections.abc import Sequence

from agent.answer import Answer, Event
from agent.grounding import (
    Candidate,
    Coverage,
    Evidence,
    Gap,
    GroundedInterval,
    Grounding,
    Models,
    Refusal,
    Role,
    Usage,
    VideoFacts,
)
from agent.reasoner import Reasoner
from agent.state import State
from prompts.catalog import render_prompt
from tools.ranking import Verdict, Window
from tools.store import VideoRecord
from tools.timeline import Caption, Interval


def compose_grounding(state: State, *, reasoner: Reasoner, embedder: str) -> Grounding:
    """The published answer from the graph's state once a reply was accepted."""
    record = VideoRecord.from_dict(state["record"])
    captions = [Caption.from_dict(plain) for plain in state["evidence"]]
    windows = [Window.from_dict(plain) for plain in state["ranking"]["windows"]]
    answer = Answer.model_validate(state["accepted"])
    intervals = [
        ground_event(event, answer, captions, windows, duration_s=record.duration_s)
        for event in answer.events
    ]
    verdict = _verdict(answer, state["ranking"]["verdict"])
    candidates = tuple(
        Candidate(
            start_s=window.span.start_s,
            end_s=window.span.end_s,
            score=window.score,
            confidence=window.confidence,
        )
        for window in windows
    )
    return Grounding(
        query=state["asked"],
        video=VideoFacts(id=record.video_id, path=record.path, duration_s=record.duration_s),
        verdict=verdict,
        presence=state["ranking"]["presence"],
        intervals=tuple(sorted(intervals, key=lambda interval: -interval.confidence)),
        candidates=candidates,
        closest_rejected=candidates[0] if verdict == "not_found" and candidates else None,
        reasoning=_reasoning(answer, state["ranking"]["reasoning"], by=state["by"]),
        advice=_advice(state["asked"], record) if verdict == "cannot_tell" else "",
        by=state["by"],
        attempts=state["attempts"],
        refusals=tuple(Refusal.model_validate(plain) for plain in state["refusals"]),
        coverage=Coverage.model_validate(state["coverage"]),
        models=Models(
            captioner=record.track.model,
            reasoner=reasoner.name,
            embedder=embedder,
            prompts=reasoner.prompts,
        ),
        usage=Usage(captions=state["new_captions"], seconds=state["seconds"]),
        warning=record.warning,
    )


def ground_event(
    event: Event,
    answer: Answer,
    captions: Sequence[Caption],
    windows: Sequence[Window],
    *,
    duration_s: float,
) -> GroundedInterval:
    """Turn an event's first and last caption numbers into seconds, precision and evidence.

    Each look at the video is a caption's start: the event began after the look before it, and ended
    before the look after it. Where there is no such look, the edge is the video's own and exact.

    Args:
        event: Numbers into ``captions``, from 1.
        answer: The reply it belongs to, for the labels it gave.
        captions: What the reasoner was shown, in time order.
        windows: The grounder's candidates; the one nearest by IoU lends its confidence.
        duration_s: Length of the video.
    """
    inside = captions[event.first - 1 : event.last]
    span = Interval(inside[0].start_s, max(caption.end_s for caption in inside))
    earlier_s = [caption.start_s for caption in captions if caption.start_s < span.start_s]
    last_look_s = max(caption.start_s for caption in inside)
    return GroundedInterval(
        start_s=span.start_s,
        end_s=span.end_s,
        confidence=_confidence(span, windows),
        start_precision_s=span.start_s - earlier_s[-1] if earlier_s else 0.0,
        end_precision_s=0.0 if span.end_s >= duration_s else span.end_s - last_look_s,
        evidence=_evidence(event, answer, captions),
    )


def coverage_of(captions: Sequence[Caption], record: VideoRecord) -> Coverage:
    """Which seconds the captions speak of, given in time order."""
    gaps: list[Gap] = []
    covered_until_s = 0.0
    for caption in captions:
        if caption.start_s > covered_until_s:
            gaps.append(Gap(start_s=covered_until_s, end_s=caption.start_s))
        covered_until_s = max(covered_until_s, caption.end_s)
    if covered_until_s < record.duration_s:
        gaps.append(Gap(start_s=covered_until_s, end_s=record.duration_s))
    missed_s = sum(gap.span.length_s for gap in gaps)
    return Coverage(
        seen_s=max(0.0, record.duration_s - missed_s), rate_hz=record.rate_hz, gaps=tuple(gaps)
    )


def _verdict(answer: Answer, ranked: Verdict) -> Verdict:
    if answer.found:
        return "found"
    # No reasoner can know more than its captions could show.
    return "cannot_tell" if ranked == "cannot_tell" else "not_found"


def _advice(query: str, record: VideoRecord) -> str:
    return render_prompt(
        "cannot_tell",
        captioner=record.track.model,
        video=shlex.quote(record.path),
        query=shlex.quote(query),
    )


def _confidence(span: Interval, windows: Sequence[Window]) -> float:
    """The nearest candidate's confidence, shared in proportion to their overlap."""
    return max((window.confidence * span.iou(window.span) for window in windows), default=0.0)


def _reasoning(answer: Answer, ranked: str, *, by: str) -> str:
    whys = [f"#{step.caption} {step.why}" for step in answer.steps if step.why]
    return "; ".join(whys) if by == "llm" and whys else ranked


def _evidence(event: Event, answer: Answer, captions: Sequence[Caption]) -> tuple[Evidence, ...]:
    """The looks just outside and just inside each edge, and whatever the reasoner labelled."""
    roles: dict[int, Role] = {}
    if event.first > 1:
        roles[event.first - 1] = "before"
    roles[event.first] = "start"
    for step in answer.steps:
        if event.first < step.caption < event.last:
            roles[step.caption] = "during"
    roles.setdefault(event.last, "end")
    if event.last < len(captions):
        roles[event.last + 1] = "after"
    return tuple(
        Evidence(
            caption_id=captions[number - 1].id,
            role=role,
            start_s=captions[number - 1].start_s,
            end_s=captions[number - 1].end_s,
            text=captions[number - 1].text,
            source=captions[number - 1].source,
        )
        for number, role in sorted(roles.items())
    )
