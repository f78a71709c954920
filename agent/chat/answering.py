"""The answer to one turn in one video: constraints over intervals, captions read, a clip cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.chat.access import Tell, VideoAccess
from agent.chat.constraints import Reference, fair_candidates, fits, select, within_of
from agent.chat.follow_up import ChatError, FollowUp
from agent.chat.recap import recap
from agent.chat.turns import ChatAnswer, Moment, ReadCaption, VideoResult, focus, read_captions
from agent.chat.wording import say_moment, say_place, say_spans, say_which
from agent.grounding import Grounding, VideoFacts
from tools.clock import clock, clock_span
from tools.ranking import Verdict
from tools.retrieval.thing_words import read_thing
from tools.retrieval.told_there import named_at
from tools.timeline import Caption, Interval

READ_S = 30.0
"""What "and after that?" reads."""

AROUND_S = 3.0
"""What "at 2:10" reads on either side."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a question in a whole video: from an answer, or from an earlier turn."""

    video: VideoFacts
    verdict: Verdict
    found: tuple[Moment, ...]
    candidates: tuple[Moment, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class Grounded:
    """What ``ground`` has for one video: an answer, an earlier one, an event's, or an error.

    An answer beside an earlier one is to the same question within the turn's constraint.
    """

    video: str
    found: Grounding | None = None
    known: Known | None = None
    event: Grounding | None = None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values only; ``from_dict`` reads them back."""
        plain: dict[str, Any] = {"video": self.video, "error": self.error}
        for name, grounding in (("found", self.found), ("event", self.event)):
            plain[name] = grounding.model_dump(mode="json", by_alias=True) if grounding else None
        if self.known:
            result = VideoResult(
                video=self.known.video,
                outcome=self.known.verdict,
                words="",
                found=self.known.found,
                candidates=self.known.candidates,
                by=self.known.by,
            )
            plain["known"] = result.model_dump(mode="json")
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Grounded:
        """What ``as_dict`` wrote."""
        known = plain.get("known")
        return cls(
            video=plain["video"],
            found=Grounding.model_validate(plain["found"]) if plain["found"] else None,
            event=Grounding.model_validate(plain["event"]) if plain["event"] else None,
            known=_known(VideoResult.model_validate(known)) if known else None,
            error=plain["error"],
        )


def recall(turns: Sequence[ChatAnswer], *, query: str, video: str) -> Known | None:
    """The latest answer to the same question over the whole video."""
    for turn in reversed(turns):
        if (turn.follow_up.query or "").casefold() != query.casefold():
            continue
        for result in turn.results:
            is_whole = turn.follow_up.is_plain or result.found or result.candidates
            if is_whole and result.video and result.video.path == video:
                return _known(result)
    return None


def turn_of(answer: Grounding) -> ChatAnswer:
    """An answer as the first turn of a conversation, for follow-ups to it."""
    known = _known_of(answer)
    result = VideoResult(
        video=known.video,
        outcome=known.verdict,
        words=answer.reasoning,
        intervals=tuple(sorted(known.found, key=lambda one: one.span)),
        found=known.found,
        candidates=known.candidates,
        by=answer.by,
    )
    return ChatAnswer(
        turn=1,
        said=answer.query,
        understood=answer.query,
        by="grammar",
        follow_up=FollowUp(kind="find", query=answer.query),
        results=(result,),
    )


def ground_turn(
    access: VideoAccess,
    follow_up: FollowUp,
    video: str,
    turns: Sequence[ChatAnswer],
    tell: Tell,
) -> Grounded:
    """Ask for what a turn needs of one video.

    A question is asked again only where its earlier answer cannot tell. A text model has named
    every time, so one that fits is there already. Where several were shown, a user who says "the
    second time" or "again?" means one of them. That none fits is shown only by a search of the part
    of the video that the constraint leaves.

    Raises:
        WhenaboutsError: What finding raises.
    """
    event = access.find(video, follow_up.event, tell=tell) if follow_up.event else None
    if follow_up.query is None or (event and not event.intervals):
        return Grounded(video, event=event)
    if follow_up.is_plain:
        return Grounded(video, found=access.find(video, follow_up.query, tell=tell))
    known = recall(turns, query=follow_up.query, video=video)
    if follow_up.kind == "still_there":
        found = None if known else access.find(video, follow_up.query, tell=tell)
        return Grounded(video, found=found, known=known)
    reference = _reference_of(follow_up, event, turns)
    if known and _fitting(follow_up, known.found, reference)[0]:
        is_of_those_shown = follow_up.which and len(known.found) > 1 and not follow_up.times
        if known.by == "llm" or (is_of_those_shown and not event):
            return Grounded(video, known=known, event=event)
    within = within_of(follow_up.relation, reference)
    if within and within[0] >= within[1]:
        raise ChatError(f"nothing comes before {clock(within[1])}: the video begins there")
    found = access.find(video, follow_up.query, tell=tell, within=within, every_time=True)
    return Grounded(video, found=found, known=known, event=event)


def answer_in_video(
    follow_up: FollowUp,
    grounded: Grounded,
    *,
    turns: Sequence[ChatAnswer],
    access: VideoAccess,
    tell: Tell,
) -> VideoResult:
    """Answer a turn for one video.

    Raises:
        ChatError: If it names a time past the video's end.
        WhenaboutsError: If captions cannot be read or a clip cannot be written.
    """
    if grounded.event and not grounded.event.intervals:
        return _no_event(follow_up, grounded.event)
    reference = _reference_of(follow_up, grounded.event, turns)
    if follow_up.kind == "cut":
        meant = next((one for one in turns if one.turn == follow_up.turn), None)
        return _cut(
            grounded.video, reference, access, answered=meant.result.video if meant else None
        )
    if follow_up.kind == "recap":
        return recap(follow_up, grounded.video, turns, access, tell)
    if follow_up.kind == "describe":
        assert reference is not None
        reading = access.read(grounded.video, tell=tell)
        return _describe(follow_up, grounded, reference, turns, reading)
    if reference and follow_up.times:
        _check_times(follow_up, _video_of(grounded))
    if follow_up.kind == "still_there":
        assert reference is not None
        _, captions = access.read(grounded.video, tell=tell)
        known = grounded.known or _known_of(grounded.found)
        return _still_there(follow_up, known, grounded, reference, captions)
    return _find(follow_up, grounded, reference, turns)


def _find(
    follow_up: FollowUp,
    grounded: Grounded,
    reference: Reference | None,
    turns: Sequence[ChatAnswer],
) -> VideoResult:
    # Within the constraint, where that was asked for; else over the whole video.
    told = _known_of(grounded.found) if grounded.found else grounded.known
    assert told is not None
    whole = told if follow_up.relation == "anywhere" else grounded.known
    chosen, counted = _fitting(follow_up, told.found, reference)
    place = say_place(follow_up, turns)
    if chosen:
        words = ", ".join(say_moment(moment) for moment in chosen)
        if follow_up.which and counted > 1:
            words += f", the {say_which(follow_up)} of {counted}"
        elif follow_up.every_time:
            words = f"{len(chosen)} times: {words}" if len(chosen) > 1 else f"once: {words}"
            words += _named_before(grounded, chosen)
    else:
        words = _say_none(follow_up, told, counted, place)
        elsewhere = whole.found if whole and place else ()
        if elsewhere:
            words += f"; it was found at {say_spans(sorted(elsewhere, key=_start))}"
    if grounded.event:
        words = f"{words}; {_say_event(grounded.event)}"
    return _result(told, whole, grounded, chosen, words)


def _named_before(grounded: Grounded, counted: Sequence[Moment]) -> str:
    """That an earlier answer to the same words named another number of times: the likeliest."""
    shown = len(grounded.known.found) if grounded.known else 0
    is_other = shown not in {0, len(counted)}
    return f" (the answer before named {shown}, which were the likeliest)" if is_other else ""


def _fitting(
    follow_up: FollowUp, found: Sequence[Moment], reference: Reference | None
) -> tuple[tuple[Moment, ...], int]:
    return select(found, relation=follow_up.relation, reference=reference, which=follow_up.which)


def _say_none(follow_up: FollowUp, told: Known, counted: int, place: str) -> str:
    """That nothing fits, said of what was searched and not of what was shown before."""
    if told.verdict == "cannot_tell":
        return f"cannot tell from these captions {place}".strip()
    if counted:
        times = f"{counted} times" if counted > 1 else "once"
        spans = say_spans(sorted(told.found, key=_start))
        return (
            f"no {say_which(follow_up)} time {place}".strip() + f": it was found {times}, {spans}"
        )
    return f"none {place} was found" if place else "not found"


def _start(moment: Moment) -> float:
    return moment.start_s


def _video_of(grounded: Grounded) -> VideoFacts:
    told = grounded.found or grounded.known
    assert told is not None
    return told.video


def _still_there(
    follow_up: FollowUp,
    known: Known,
    grounded: Grounded,
    reference: Reference,
    captions: Sequence[Caption],
) -> VideoResult:
    covering = tuple(one for one in known.found if fits(one, "at", reference))
    fair = fair_candidates(known.found, known.candidates)
    perhaps = tuple(one for one in fair if fits(one, "at", reference))
    moment = clock(reference.start_s)
    # The captions at the moment itself show whether to believe it.
    read = read_captions(captions, _around(reference, known.video))
    named = named_at(follow_up.query or "", captions, reference.start_s)
    if covering:
        words = f"yes: {say_moment(covering[0])}"
    elif named and named[1]:
        one = named[0]
        covering = (Moment(start_s=one.start_s, end_s=one.end_s, shows=one.text),)
        words = f"yes: the caption there names it: {say_moment(covering[0])}"
    elif named:
        known = replace(known, verdict="cannot_tell")
        words = "cannot tell: the caption there names it, but not all that is asked"
    elif perhaps and not grounded.known:
        words = f"perhaps: {say_moment(perhaps[0])} is not an answer, only a fair candidate"
    elif known.found:
        in_time_order = sorted(known.found, key=_start)
        thing = read_thing(follow_up.query or "")
        unnamed = ": no caption there names it" if thing and not thing.is_absent and read else ""
        words = f"not at {moment}{unnamed}; it is there {say_spans(in_time_order)}"
        if perhaps:
            # What an earlier turn told is what "he" means: another who is like him is not he.
            words += f" ({say_moment(perhaps[0])} was only a fair candidate)"
            perhaps = ()
    else:
        words = "cannot tell from these captions" if known.verdict == "cannot_tell" else "not found"
    return _result(known, known, grounded, covering or perhaps, words, captions=read)


def _describe(
    follow_up: FollowUp,
    grounded: Grounded,
    reference: Reference,
    turns: Sequence[ChatAnswer],
    reading: tuple[VideoFacts, Sequence[Caption]],
) -> VideoResult:
    video, captions = reading
    if follow_up.times:
        _check_times(follow_up, video)
    span = _what_to_read(follow_up, reference, video)
    if span is None:
        edge = "ends" if follow_up.relation == "after" else "begins"
        return VideoResult(video=video, outcome="read", words=f"nothing: the video {edge} there")
    read = read_captions(captions, span)
    notes = [
        clock_span(span),
        "" if read else "no caption covers it",
        _say_event(grounded.event) if grounded.event else "",
        _comes_again(follow_up, reference, turns),
    ]
    return VideoResult(
        video=video,
        outcome="read",
        words="; ".join(note for note in notes if note),
        intervals=(Moment(start_s=span.start_s, end_s=span.end_s),),
        captions=tuple(read),
    )


def _cut(
    video: str, reference: Reference | None, access: VideoAccess, *, answered: VideoFacts | None
) -> VideoResult:
    assert reference is not None
    span = Interval(reference.start_s, reference.end_s)
    facts, path = access.cut(video, span, answered=answered)
    span = Interval(span.start_s, min(span.end_s, facts.duration_s))
    return VideoResult(
        video=facts,
        outcome="cut",
        words=f"{clock_span(span)} {access.door.clip.format(clip=path)}",
        intervals=(Moment(start_s=span.start_s, end_s=span.end_s),),
        clip=path,
    )


def _result(
    told: Known,
    whole: Known | None,
    grounded: Grounded,
    chosen: tuple[Moment, ...],
    words: str,
    *,
    captions: Sequence[ReadCaption] = (),
) -> VideoResult:
    """A verdict on the question with its constraint: ``found`` where something fits it."""
    without: Verdict = "cannot_tell" if told.verdict == "cannot_tell" else "not_found"
    return VideoResult(
        video=told.video,
        outcome="found" if chosen else without,
        words=words,
        intervals=chosen,
        found=whole.found if whole else (),
        candidates=whole.candidates if whole else (),
        by=whole.by if whole else "",
        reasoning=grounded.found.reasoning if grounded.found and not chosen else "",
        captions=tuple(captions),
        grounding=grounded.found,
    )


def _reference_of(
    follow_up: FollowUp, event: Grounding | None, turns: Sequence[ChatAnswer]
) -> Reference | None:
    """The seconds that a follow-up's times, turn or event stand for."""
    if follow_up.times:
        return Reference(follow_up.times_s[0], follow_up.times_s[-1])
    if event:
        best = event.intervals[0]
        return Reference(best.start_s, best.end_s)
    turn = next((one for one in turns if one.turn == follow_up.turn), None)
    moment = focus(turn, follow_up.interval) if turn else None
    return Reference(moment.start_s, moment.end_s) if moment else None


def _what_to_read(follow_up: FollowUp, reference: Reference, video: VideoFacts) -> Interval | None:
    """What is read: half a minute after or before, or the stretch itself."""
    if follow_up.relation == "after":
        start_s, end_s = reference.end_s, min(reference.end_s + READ_S, video.duration_s)
    elif follow_up.relation == "before":
        start_s, end_s = max(0.0, reference.start_s - READ_S), reference.start_s
    elif reference.start_s == reference.end_s:
        return _around(reference, video)
    else:
        start_s, end_s = reference.start_s, min(reference.end_s, video.duration_s)
    return Interval(start_s, end_s) if start_s < end_s else None


def _around(reference: Reference, video: VideoFacts) -> Interval:
    return Interval(
        max(0.0, reference.start_s - AROUND_S), min(video.duration_s, reference.end_s + AROUND_S)
    )


def _check_times(follow_up: FollowUp, video: VideoFacts) -> None:
    for text, time_s in zip(follow_up.times, follow_up.times_s, strict=True):
        # The last of two times may lie past the end: "from 9:00 to 20:00" means the rest.
        if time_s >= video.duration_s and text == follow_up.times[0]:
            raise ChatError(
                f"{text} is past the end: {video.path} is {clock(video.duration_s)} long"
            )


def _no_event(follow_up: FollowUp, event: Grounding) -> VideoResult:
    said = {"not_found": "was not found", "cannot_tell": "cannot be decided from these captions"}
    return VideoResult(
        video=event.video,
        outcome=event.verdict,
        words=f"“{event.query}” {said[event.verdict]}, so there is nothing to look "
        f"{follow_up.relation}",
        grounding=event,
    )


def _say_event(event: Grounding) -> str:
    best = event.intervals[0]
    moment = Moment(start_s=best.start_s, end_s=best.end_s, confidence=best.confidence)
    return f"“{event.query}” is {say_moment(moment)}"


def _comes_again(follow_up: FollowUp, reference: Reference, turns: Sequence[ChatAnswer]) -> str:
    """What the same words may also have meant: the next interval of the question."""
    turn = next((one for one in turns if one.turn == follow_up.turn), None)
    if turn is None or follow_up.relation != "after" or not turn.follow_up.query:
        return ""
    later, _ = select(turn.result.found, relation="after", reference=reference, which=1)
    if not later:
        return ""
    return f"“{turn.follow_up.query}” comes again at {say_spans(later)} (ask “again?”)"


def _known_of(grounding: Grounding | None) -> Known:
    assert grounding is not None
    return Known(
        video=grounding.video,
        verdict=grounding.verdict,
        found=tuple(
            Moment(
                start_s=one.start_s,
                end_s=one.end_s,
                confidence=one.confidence,
                shows=next((seen.text for seen in one.evidence if seen.role == "start"), ""),
            )
            for one in grounding.intervals
        ),
        candidates=tuple(
            Moment(start_s=one.start_s, end_s=one.end_s, confidence=one.confidence)
            for one in grounding.candidates
        ),
        by=grounding.by,
    )


def _known(result: VideoResult) -> Known:
    assert result.video is not None
    verdict: Verdict = "cannot_tell" if result.outcome == "cannot_tell" else "not_found"
    return Known(
        video=result.video,
        verdict="found" if result.found else verdict,
        found=result.found,
        candidates=result.candidates,
        by=result.by,
    )
