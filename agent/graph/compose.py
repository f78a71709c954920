"""From an accepted answer in caption numbers to a ``Grounding`` in seconds, with its evidence."""

import shlex
from collections.abc import Collection, Sequence

from agent.graph.state import State
from agent.grounding import (
    STAGES,
    AskedSource,
    Candidate,
    Cost,
    Coverage,
    DecidedBy,
    Evidence,
    Gap,
    GroundedInterval,
    Grounding,
    Models,
    Role,
    Usage,
    VideoFacts,
)
from agent.reasoning.answer import Answer, NumberedEvent
from agent.reasoning.brief import Turn
from prompts.catalog import Prompts
from tools.indexing.held_spans import read_step_s
from tools.ranking import Testimony, Verdict, Window
from tools.retrieval.question import parts_of
from tools.retrieval.temporal_query import Event as OneEvent
from tools.retrieval.tracks import evidence_kind, is_measured, name_of
from tools.signals.claims import is_moment
from tools.store.store import CaptionGap, CaptionStore, VideoRecord
from tools.text import main_script
from tools.timeline import Caption, Interval

SEEN_SHARE = 0.9
"""If less of a video was described, nobody can say that something is not in it."""

PACE_S = 0.5
"""Captions from a file may lie this far apart without anything having been missed."""

SAID = frozenset({"subtitle", "speech"})
"""Sources whose captions begin and end with the thing itself, not with a look at it."""


def compose_grounding(state: State, *, embedder: str, prompts: Prompts) -> Grounding:
    """The published answer from the graph's state once a reply was accepted."""
    record = VideoRecord.from_dict(state["record"])
    captions = [Caption.from_dict(plain) for plain in state["evidence"]]
    windows = [Window.from_dict(plain) for plain in state["ranking"]["windows"]]
    answer = Answer.model_validate(state["accepted"])
    turns = [Turn.model_validate(plain) for plain in state["turns"]]
    heard = [Testimony.from_dict(plain) for plain in state["ranking"].get("heard", ())]
    coverage = Coverage.model_validate(state["coverage"])
    intervals = [
        ground_event(
            event,
            answer,
            captions,
            windows,
            duration_s=record.duration_s,
            tracks={record.track.key, *(one.track for one in heard)},
            unseen=[gap.span for gap in coverage.gaps],
        )
        for event in answer.events
    ]
    seen_share = _seen_share(state, record, coverage)
    verdict = _verdict(answer, state, seen_share=seen_share)
    script = unknown_script(state["asked"], [one.text for one in captions], embedder=embedder)
    if script and verdict == "not_found" and state["by"] != "llm":
        # An embedder that cannot read the question's script cannot know that it is not there.
        verdict = "cannot_tell"
    described_by = record.track.prompt_version
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
        video=VideoFacts(
            id=record.video_id,
            path=record.path,
            duration_s=record.duration_s,
            file_start_s=record.file_start_s,
        ),
        verdict=verdict,
        presence=state["ranking"]["presence"],
        intervals=tuple(sorted(intervals, key=lambda interval: -interval.confidence)),
        candidates=candidates,
        closest_rejected=candidates[0] if verdict == "not_found" and candidates else None,
        reasoning=_reasoning(answer, captions, state),
        advice=_advice(state, record, coverage, prompts, script=script, embedder=embedder)
        if verdict == "cannot_tell"
        else "",
        by=state["by"],
        attempts=state["attempts"],
        refusals=tuple(turn.refusal for turn in turns if turn.refusal),
        look_ups=tuple(one for turn in turns for one in turn.look_ups),
        coverage=coverage,
        models=Models(
            captioner=record.track.model,
            mode=record.track.mode,
            reasoner=state["reply"]["asked_of"]["name"],
            embedder=embedder,
            prompts=({"describe": described_by} if described_by else {})
            | state["reply"]["asked_of"]["prompts"],
        ),
        sources=_sources(answer, captions, heard, state, record),
        usage=Usage.of(
            {stage: Cost.model_validate(state["spent"][stage]) for stage in STAGES},
            state["seconds"],
        ),
        warning="; ".join(
            filter(
                None,
                (
                    record.warning,
                    state["withheld"],
                    state["reader_note"],
                    state["refine_note"],
                    _open_order(state, coverage),
                ),
            )
        ),
    )


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
    span = Interval(first.start_s, last.end_s)
    start, end = edges_of(event, captions, duration_s=duration_s)
    holes = [gap for gap in unseen if gap.length_s > PACE_S]
    before = [gap for gap in holes if gap.end_s == span.start_s and first.source not in SAID]
    after = [gap for gap in holes if gap.start_s == span.end_s and last.source not in SAID]
    if before and not start:
        (start,) = before
    return GroundedInterval(
        start_s=span.start_s,
        end_s=span.end_s,
        confidence=_confidence(span, windows),
        start_precision_s=start.length_s if start else 0.0,
        end_precision_s=end.length_s if end else 0.0,
        start_by="unseen" if before else _decided_by(start, first, captions, tracks),
        end_by="unseen" if after else _decided_by(end, last, captions, tracks),
        evidence=_evidence(event, span, answer, captions),
    )


def edges_of(
    event: NumberedEvent, captions: Sequence[Caption], *, duration_s: float
) -> tuple[Interval | None, Interval | None]:
    """The spans in which an event's true start and end lie; None where the edge is exact.

    Each look at the video is a caption's start: the event began after the look before its first
    caption, and ended before the look after its last. Frames that a caption is held over do not
    count as looks: something small may have begun in one. Only the video's own edges are exact, and
    the edges of what is said.
    """
    first, last = captions[event.first - 1], captions[event.last - 1]
    if first == last and is_moment(first):
        # A moment is as long as it is precise: the time since the frame before.
        fine_s = min(first.span.length_s, first.start_s)
        return Interval(first.start_s - fine_s, first.start_s), first.span
    step_s = read_step_s(first)
    if step_s is not None and step_s == read_step_s(last):
        # A frame comes up to one frame interval late: a quarter more.
        slack_s = 1.25 * step_s
        start_s, end_s = first.start_s, last.end_s
        start = Interval(max(0.0, start_s - slack_s), start_s) if start_s > 0 else None
        return start, None if end_s >= duration_s else Interval(
            max(last.start_s, end_s - slack_s), end_s
        )
    # Only those of the same kind: what is said between two looks does not bring them closer.
    earlier = [
        one
        for one in captions
        if one.start_s < first.start_s and one.source == first.source and not is_moment(one)
    ]
    if earlier and first.source not in SAID:
        before = max(earlier, key=lambda one: one.start_s)
        start = Interval(before.start_s, first.start_s)
    else:
        start = None
    if last.end_s >= duration_s or last.source in SAID:
        return start, None
    return start, Interval(last.start_s, last.end_s)


def _decided_by(
    edge: Interval | None, made_by: Caption, captions: Sequence[Caption], tracks: Collection[str]
) -> DecidedBy:
    if edge is None:
        return "caption" if made_by.source in SAID else "video"
    looks = [one for one in captions if one.start_s <= edge.start_s < one.end_s]
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
    named = {captions[event.first - 1].track.key for event in answer.events}
    by_model = state["by"] == "llm" and bool(named & {one.track for one in heard})
    return tuple(
        AskedSource(
            kind=one.kind,
            name=one.name,
            verdict=one.verdict,
            answers=one.track in named if by_model else one.answers,
        )
        for one in heard
    )


def coverage_of(captions: Sequence[Caption], record: VideoRecord, store: CaptionStore) -> Coverage:
    """Which seconds the captions cover, given in time order, and why others have none."""
    missed: list[Interval] = []
    covered_until_s = 0.0
    for caption in captions:
        if caption.start_s > covered_until_s:
            missed.append(Interval(covered_until_s, caption.start_s))
        covered_until_s = max(covered_until_s, caption.end_s)
    if covered_until_s < record.duration_s:
        missed.append(Interval(covered_until_s, record.duration_s))
    missed_s = sum(span.length_s for span in missed)
    noted = store.gaps(record.video_id, record.track) if missed else []
    return Coverage(
        seen_s=max(0.0, record.duration_s - missed_s),
        rate_hz=record.rate_hz,
        gaps=tuple(
            Gap(start_s=span.start_s, end_s=span.end_s, reason=_why(span, noted)) for span in missed
        ),
    )


def _why(span: Interval, noted: Sequence[CaptionGap]) -> str:
    """Why the captioner gave no captions, each reason once."""
    return "; ".join(dict.fromkeys(gap.reason for gap in noted if gap.span.overlap_s(span) > 0))


def _seen_share(state: State, record: VideoRecord, coverage: Coverage) -> float:
    """How much of what was searched was seen; a video described only in part counts as unseen."""
    if state["asked_within"] is None:
        return coverage.seen_s / record.duration_s if record.complete else 0.0
    start_s, end_s = state["asked_within"]
    within = Interval(start_s, min(end_s, record.duration_s))
    unseen_s = sum(within.overlap_s(Interval(gap.start_s, gap.end_s)) for gap in coverage.gaps)
    return 1 - unseen_s / within.length_s


def _verdict(answer: Answer, state: State, *, seen_share: float) -> Verdict:
    if answer.found:
        return "found"
    # No reasoner can know more than its captions could show, or what was not looked at. Where only
    # similarity is unsure, a text model may know.
    is_open = _is_beyond(state) or seen_share < SEEN_SHARE
    is_unsure = state["ranking"]["verdict"] == "cannot_tell" and state["by"] != "llm"
    return "cannot_tell" if is_open or is_unsure else "not_found"


def _is_beyond(state: State) -> bool:
    """Whether these captions could not show it either way: the grounder has no window for it."""
    ranking = state["ranking"]
    return bool(ranking["verdict"] == "cannot_tell" and not ranking["windows"])


def _open_order(state: State, coverage: Coverage) -> str:
    """Says that an order holds for what was seen, where that is not everything; else empty."""
    duration_s = state["record"]["duration_s"]
    has_order = not isinstance(parts_of(state["asked"]), OneEvent)
    if not has_order or coverage.seen_s >= SEEN_SHARE * duration_s:
        return ""
    return (
        f"only {coverage.seen_s:.0f} of {duration_s:.0f} s were seen: first, last, before and "
        "after hold for these alone"
    )


def unknown_script(query: str, texts: Sequence[str], *, embedder: str) -> str:
    """The script of a question, if the embedder that compares it does not know it; else empty.

    Args:
        query: The question.
        texts: What the captions say.
        embedder: Its name; what others than the built-in one have learned is not known.
    """
    script = main_script(query)
    is_known = script == "LATIN" or not embedder.startswith("minilm")
    if is_known or script in {main_script(text) for text in texts}:
        return ""
    return script


def _advice(
    state: State,
    record: VideoRecord,
    coverage: Coverage,
    prompts: Prompts,
    *,
    script: str,
    embedder: str,
) -> str:
    query = state["asked"]
    if script and coverage.seen_s > 0:
        return prompts.render(
            "other_script",
            script=script.capitalize() if len(script) > 3 else script,
            captioner=record.track.model,
            embedder=embedder,
            video=shlex.quote(record.path),
            query=shlex.quote(query),
        )
    # More captions of a kind that cannot show it would not help.
    is_beyond = _is_beyond(state) and coverage.seen_s > 0
    if not record.complete and not is_beyond:
        return prompts.render(
            "seen_in_part",
            seen=f"{coverage.seen_s:.0f}",
            duration=f"{record.duration_s:.0f}",
            video=shlex.quote(record.path),
            query=shlex.quote(query),
            options=_options(record),
        )
    if coverage.seen_s < SEEN_SHARE * record.duration_s and not is_beyond:
        return prompts.render(
            "described_in_part",
            seen=f"{coverage.seen_s:.0f}",
            duration=f"{record.duration_s:.0f}",
            captioner=record.track.model,
        )
    if not _is_beyond(state):
        return prompts.render("unsure", video=shlex.quote(record.path), query=shlex.quote(query))
    return prompts.render(
        "cannot_tell",
        captioner=record.track.model,
        video=shlex.quote(record.path),
        query=shlex.quote(query),
    )


def _options(record: VideoRecord) -> str:
    """The options, as typed after a query, with which a command continues this description."""
    model, track = record.track.model.partition("+")[0], record.track
    options = []
    if is_measured(track):
        options.append("--captioner classical")
    elif model.startswith("openai:"):
        options.append(f"--captioner {shlex.quote(model)}")
    mode = track.mode.partition("@")[0]
    if mode != "frame":
        options.append(f"--mode {mode}")
    if record.rate_hz not in {None, 1.0}:
        options.append(f"--rate {record.rate_hz:g}")
    return "".join(f" {option}" for option in options)


def _confidence(span: Interval, windows: Sequence[Window]) -> float:
    """The nearest candidate's confidence, shared in proportion to their overlap."""
    return max((window.confidence * span.iou(window.span) for window in windows), default=0.0)


def _reasoning(answer: Answer, captions: Sequence[Caption], state: State) -> str:
    """The model's reasons in time order, each with its time: caption numbers mean nothing outside.

    Where it gives none, the grounder's reasons do not stand in: they are not the model's.
    """
    if state["by"] != "llm":
        return str(state["ranking"]["reasoning"])
    placed = sorted((captions[step.caption - 1].start_s, step.why) for step in answer.steps)
    whys = "; ".join(f"{start_s:.1f} s: {why}" for start_s, why in placed if why)
    return " ".join(filter(None, (state["order"], whys))) or "The text model gave no reasons."


def _evidence(
    event: NumberedEvent, span: Interval, answer: Answer, captions: Sequence[Caption]
) -> tuple[Evidence, ...]:
    """The looks just outside and just inside each edge, and whatever the reasoner labelled."""
    roles: dict[int, Role] = {}
    numbered = list(enumerate(captions, start=1))
    before = [(one.start_s, number) for number, one in numbered if one.end_s <= span.start_s]
    after = [(one.start_s, -number) for number, one in numbered if one.start_s >= span.end_s]
    if before:
        roles[max(before)[1]] = "before"
    roles[event.first] = "start"
    for step in answer.steps:
        caption = captions[step.caption - 1]
        if (
            step.caption not in roles
            and span.start_s <= caption.start_s < caption.end_s <= span.end_s
        ):
            roles[step.caption] = "during"
    if event.last != event.first:
        roles[event.last] = "end"
    if after:
        roles[-min(after)[1]] = "after"
    return tuple(
        Evidence(
            caption_id=caption.id,
            role=role,
            start_s=caption.start_s,
            end_s=caption.end_s,
            text=caption.text,
            source=caption.source,
        )
        for caption, role in sorted(
            ((captions[number - 1], role) for number, role in roles.items()),
            key=lambda shown: (shown[0].span, shown[0].source),
        )
    )
