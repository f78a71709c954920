"""From an accepted answer in caption numbers to a ``Grounding`` in seconds, with its evidence."""

from collections.abc import Collection, Sequence
from functools import partial

from agent.graph.advice import (
    advice_for,
    is_beyond,
    is_other_language,
    script_name,
    unknown_script,
)
from agent.graph.covering import SEEN_SHARE
from agent.graph.paths import direct_of, judging_of, kept_costs, path_answers
from agent.graph.proof import evidence_of
from agent.graph.state import State
from agent.graph.sureness import RANK, sure_of
from agent.grounding import (
    STAGES,
    AskedSource,
    Candidate,
    Cost,
    Coverage,
    DecidedBy,
    GroundedInterval,
    Grounding,
    Models,
    Usage,
    VideoFacts,
)
from agent.reasoning.answer import Answer, NumberedEvent
from agent.reasoning.brief import Turn
from agent.reasoning.direct import is_shown_frame
from agent.reasoning.judge import JudgedSpan, shows
from prompts.catalog import Prompts
from tools.grounding.seen_edges import SAID, Edge, edges_of, window_span
from tools.ranking import Testimony, Verdict, Window
from tools.retrieval.question import parts_of, read_question
from tools.retrieval.temporal_query import Single
from tools.retrieval.tracks import evidence_kind, is_blank, name_of
from tools.signals.claims import is_moment
from tools.store.store import VideoRecord
from tools.timeline import Caption, Interval

PACE_S = 0.5
"""Captions from a file may lie this far apart without anything having been missed."""


def compose_grounding(state: State, *, embedder: str, prompts: Prompts) -> Grounding:
    """The published answer from the graph's state once a reply was accepted."""
    record = VideoRecord.from_dict(state["record"])
    captions = [Caption.from_dict(plain) for plain in state["evidence"]]
    windows = [Window.from_dict(plain) for plain in state["ranking"]["windows"]]
    answer = Answer.model_validate(state["accepted"])
    direct, judging = direct_of(state), judging_of(state)
    turns = [Turn.model_validate(plain) for plain in (*direct["turns"], *state["turns"])]
    verdicts = [JudgedSpan.from_dict(plain) for plain in judging["verdicts"]]
    heard = [Testimony.from_dict(plain) for plain in state["ranking"].get("heard", ())]
    coverage = Coverage.model_validate(state["coverage"])
    intervals = [
        ground_event(
            event,
            answer,
            captions,
            # There are more events than windows where all the times are wanted.
            [*windows, *(Window.from_dict(plain) for plain in state["ranking"]["events"])],
            duration_s=record.duration_s,
            tracks={record.track.key, *(one.track for one in heard)},
            unseen=[gap.span for gap in coverage.gaps],
        )
        for event in _events(answer, state)
    ]
    if state["by"] in {"llm", "direct"}:
        intervals = [
            _in_words(one, place, answer, captions, windows, state)
            for place, one in enumerate(intervals)
        ]
    seen_share = _seen_share(state, record, coverage)
    verdict = _verdict(answer, state, record, seen_share=seen_share)
    texts = [one.text for one in captions]
    script = unknown_script(state["asked"], texts, embedder=embedder)
    is_unread = script or is_other_language(state["asked"], texts, embedder=embedder)
    if is_unread and verdict == "not_found" and not _read_by_model(state):
        # An embedder that cannot read the question cannot know that it is not there.
        verdict = "cannot_tell"
    described_by = record.track.prompt_version
    candidates = tuple(_candidate(window, captions, record, verdicts) for window in windows)
    return Grounding(
        query=state["asked"],
        video=VideoFacts(
            id=record.video_id,
            path=record.path,
            duration_s=record.duration_s,
            file_start_s=record.file_start_s,
        ),
        verdict=verdict,
        # Captions estimate it, and did not decide.
        presence=None if state["by"] == "direct" else state["ranking"]["presence"],
        intervals=tuple(sorted(intervals, key=standing)),
        candidates=candidates,
        closest_rejected=candidates[0] if verdict == "not_found" and candidates else None,
        reasoning=f"Nothing here can read its {script_name(script)} letters."
        if script and verdict == "cannot_tell" and not _read_by_model(state)
        else _reasoning(answer, captions, state),
        advice=advice_for(state, record, coverage, prompts, script=script, embedder=embedder)
        if verdict == "cannot_tell"
        else "",
        by=state["by"],
        paths=path_answers(
            state,
            verdict,
            [one.span for one in intervals],
            placed=partial(
                window_span, captions=captions, track=record.track, duration_s=record.duration_s
            ),
        ),
        attempts=direct["attempts"] + state["attempts"],
        refusals=tuple(turn.refusal for turn in turns if turn.refusal),
        look_ups=tuple(one for turn in turns for one in turn.look_ups),
        coverage=coverage,
        models=Models(
            captioner=record.track.model,
            mode=record.track.mode,
            reasoner=direct["name"]
            if state["by"] == "direct"
            else state["reply"]["asked_of"]["name"],
            embedder=embedder,
            sight=next((one.track.model for one in captions if one.source == "sight"), ""),
            prompts=({"describe": described_by} if described_by else {})
            | direct["prompts"]
            | judging["prompts"]
            | state["reply"]["asked_of"]["prompts"],
            judge=judging["name"],
            direct=direct["name"],
        ),
        sources=_sources(answer, captions, heard, state, record),
        usage=Usage.of(
            {stage: Cost.model_validate(state["spent"].get(stage, {})) for stage in STAGES},
            kept_costs(state),
            state["seconds"],
        ),
        warning="; ".join(
            filter(
                None,
                (
                    record.warning,
                    state["withheld"],
                    state["reader_note"],
                    direct["note"],
                    judging["note"],
                    state["refine_note"],
                    _open_order(state, coverage),
                ),
            )
        ),
    )


def _events(answer: Answer, state: State) -> list[NumberedEvent]:
    """The events of an answer, with the edges that closer looks decided where there were any."""
    if state["refined"] is None:
        return list(answer.events)
    return [NumberedEvent(first=one["first"], last=one["last"]) for one in state["refined"]]


def ground_event(
    event: NumberedEvent,
    answer: Answer,
    captions: Sequence[Caption],
    windows: Sequence[Window],
    *,
    duration_s: float,
    tracks: Collection[str],
    unseen: Sequence[Interval] = (),
) -> GroundedInterval:
    """Turn an event's first and last caption numbers into seconds, precision and evidence.

    Args:
        event: Numbers into ``captions``, from 1.
        answer: The reply it belongs to, for the labels it gave.
        captions: What the reasoner was shown, by number; in time order but for look-ups.
        windows: The grounder's candidates; the one nearest by IoU lends its confidence.
        duration_s: Length of the video.
        tracks: Keys of what the question was put to; other captions are closer looks.
        unseen: Stretches that no caption covers.
    """
    first, last = captions[event.first - 1], captions[event.last - 1]
    # A cut is where the event ends, and the caption that tells of it is a frame long.
    is_up_to_cut = is_moment(last) and last.start_s > first.start_s
    span = Interval(first.start_s, last.start_s if is_up_to_cut else last.end_s)
    # A video model decided by the frames it was shown alone.
    looks = (
        [one for one in captions if one.track == first.track] if is_shown_frame(first) else captions
    )
    start, end = edges_of(first, last, looks, duration_s=duration_s)
    holes = [gap for gap in unseen if gap.length_s > PACE_S]
    before = [gap for gap in holes if gap.end_s == span.start_s and first.source not in SAID]
    after = [gap for gap in holes if gap.start_s == span.end_s and last.source not in SAID]
    if before:
        # It may have begun at any time that nobody looked at.
        start = Edge(span.start_s, min(start.earliest_s, before[0].start_s), span.start_s)
    if after:
        end = Edge(span.end_s, end.earliest_s, span.end_s)
    return GroundedInterval(
        start_s=start.at_s,
        end_s=end.at_s,
        confidence=_confidence(span, windows),
        start_precision_s=start.precision_s,
        end_precision_s=end.precision_s,
        start_by="unseen" if before else _decided_by(start, first, captions, tracks),
        end_by="unseen" if after else _decided_by(end, last, captions, tracks),
        evidence=evidence_of(event, span, answer, captions, tracks),
    )


def standing(interval: GroundedInterval) -> tuple[float, float]:
    """Best first: by the calibrated number as it is printed, else by the word, then by time."""
    if interval.confidence is not None:
        return -round(interval.confidence, 2), interval.start_s
    return -float(RANK[interval.sure or "unsure"]), interval.start_s


def _in_words(  # noqa: PLR0917  # one interval of ``compose_grounding``
    interval: GroundedInterval,
    place: int,
    answer: Answer,
    captions: Sequence[Caption],
    windows: Sequence[Window],
    state: State,
) -> GroundedInterval:
    """The same without a number, which nobody has calibrated for models."""
    said = answer.events[place]
    sure = sure_of(
        Interval(captions[said.first - 1].start_s, captions[said.last - 1].end_s),
        windows,
        said=said.sure,
        looks=state["refined"][place]["looks"] if state["refined"] else "",
        presence=state["ranking"]["presence"],
        precision_s=max(interval.start_precision_s, interval.end_precision_s),
        grounder=state["ranking"]["verdict"],
    )
    return interval.model_copy(update={"confidence": None, "sure": sure})


def _candidate(
    window: Window,
    captions: Sequence[Caption],
    record: VideoRecord,
    verdicts: Sequence[JudgedSpan],
) -> Candidate:
    span = window_span(window.span, captions, track=record.track, duration_s=record.duration_s)
    return Candidate(
        start_s=span.start_s,
        end_s=span.end_s,
        score=window.score,
        confidence=window.confidence,
        judged=shows(window.span, verdicts),
    )


def _decided_by(
    edge: Edge, made_by: Caption, captions: Sequence[Caption], tracks: Collection[str]
) -> DecidedBy:
    if edge.open_span is None:
        return "caption" if made_by.source in SAID else "video"
    looks = [one for one in captions if one.start_s <= edge.earliest_s < one.end_s]
    return "caption" if all(one.track.key in tracks for one in looks) else "closer_look"


def _sources(
    answer: Answer,
    captions: Sequence[Caption],
    heard: Sequence[Testimony],
    state: State,
    record: VideoRecord,
) -> tuple[AskedSource, ...]:
    """What was asked, and which of it the answer is made from; a text model chooses itself."""
    if not heard:
        verdict = state["ranking"]["verdict"]
        own = record.track
        heard = [Testimony(evidence_kind(own), name_of(own), own.key, verdict, answers=True)]
    edges = [number for event in answer.events for number in (event.first, event.last)]
    named = {captions[number - 1].track.key for number in edges}
    by_model = state["by"] == "llm" and bool(named & {one.track for one in heard})
    return tuple(
        AskedSource(
            kind=one.kind,
            name=one.name,
            verdict=one.verdict,
            answers=one.track in named if by_model else one.answers,
            # A model decided by itself: what sources said of the grounder's answer is not of this.
            agrees=None if state["by"] in {"llm", "direct"} else one.agrees,
            best=(one.best.start_s, one.best.end_s) if one.best else None,
        )
        for one in heard
    )


def _seen_share(state: State, record: VideoRecord, coverage: Coverage) -> float:
    """How much of what was searched was seen; a video described only in part counts as unseen."""
    if state["asked_within"] is None:
        return coverage.seen_s / record.duration_s if record.complete else 0.0
    start_s, end_s = state["asked_within"]
    within = Interval(start_s, min(end_s, record.duration_s))
    unseen_s = sum(within.overlap_s(Interval(gap.start_s, gap.end_s)) for gap in coverage.gaps)
    return 1 - unseen_s / within.length_s


def _verdict(answer: Answer, state: State, record: VideoRecord, *, seen_share: float) -> Verdict:
    if answer.found:
        return "found"
    if state["by"] == "direct" or (state["by"] == "llm" and is_blank(record.track)):
        return "not_found"  # It was shown the frames themselves, and all that is searched.
    # No reasoner can know more than its captions could show, or what was not looked at. Where only
    # similarity is unsure, a text model may know.
    is_open = is_beyond(state) or seen_share < SEEN_SHARE
    is_unsure = state["ranking"]["verdict"] == "cannot_tell" and not _read_by_model(state)
    return "cannot_tell" if is_open or is_unsure else "not_found"


def _read_by_model(state: State) -> bool:
    """Whether a model understood the question, so that it may know what similarity does not."""
    return state["by"] in {"llm", "direct"}


def _open_order(state: State, coverage: Coverage) -> str:
    """Says that an order holds for what was seen, where that is not everything; else empty."""
    duration_s = state["record"]["duration_s"]
    has_order = not isinstance(parts_of(state["asked"]), Single)
    if not has_order or coverage.seen_s >= SEEN_SHARE * duration_s:
        return ""
    return (
        f"only {coverage.seen_s:.0f} of {duration_s:.0f} s were seen: first, last, before and "
        "after hold for these alone"
    )


def _confidence(span: Interval, windows: Sequence[Window]) -> float:
    """The nearest candidate's confidence, shared in proportion to their overlap."""
    return max((window.confidence * span.iou(window.span) for window in windows), default=0.0)


def _reasoning(answer: Answer, captions: Sequence[Caption], state: State) -> str:
    """The model's reasons in time order, each with its time: caption numbers mean nothing outside.

    Where it gives none, the grounder's reasons do not stand in: they are not the model's.
    """
    is_counted = answer.found and read_question(state["asked"]).is_counted
    counted = f"Counted: {len(answer.events)}." if is_counted else ""
    if state["by"] == "direct":
        direct = direct_of(state)
        why = direct["why"] or f"{direct['name']} was shown the frames, and gave no reasons."
        return f"{counted} {why}".strip()
    if state["by"] != "llm":
        own = str(state["ranking"]["reasoning"])
        judging = judging_of(state)
        if not judging["decided"]:
            return own
        return f"Of the likeliest windows, {judging['name']} says that this shows it best."
    if answer.reason:
        return " ".join(filter(None, (counted, state["order"], answer.reason)))
    placed = sorted((captions[step.caption - 1].start_s, step.why) for step in answer.steps)
    whys = "; ".join(f"{start_s:.1f} s: {why}" for start_s, why in placed if why)
    told = " ".join(filter(None, (counted, state["order"], whys)))
    return told or "The text model gave no reasons."
