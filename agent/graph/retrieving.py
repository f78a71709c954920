"""What a question is answered from: the tracks of its video, searched together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from agent.errors import (
    QueryError,
    VideoError,
)
from agent.graph.covering import coverage_of
from agent.graph.dependencies import Dependencies
from agent.graph.paths import (
    NOT_ASKED,
    NOT_JUDGED,
    similarity_path,
)
from agent.graph.plain_values import (
    CoverageState,
    RankingState,
    RecordState,
)
from agent.graph.state import (
    AfterWatch,
    Question,
    Update,
    add_cost,
    cost_state,
)
from agent.grounding import STAGES, Cost, Coverage
from agent.reasoning.brief import are_shown
from tools.clock import clock, clock_span
from tools.ranking import Ranking
from tools.retrieval.measured_need import can_be_measured, measured_need
from tools.retrieval.question import read_question
from tools.retrieval.retrieval import (
    CAPTION_FRAME_TOKENS,
    Retrieved,
    caption_tokens,
    fit,
    inside,
)
from tools.retrieval.second_thoughts import thought_over
from tools.retrieval.sight_evidence import SightEvidence
from tools.retrieval.tracks import is_blank, is_measured, read_tracks
from tools.signals.said_times import SaidStretch, take_stretch
from tools.store.store import CaptionStore, VideoRecord
from tools.text import shorten
from tools.timeline import Caption, Interval

OVERVIEW_SHARE = 0.5
FEWEST_CHARS = 40
"""A summary that is shorter says too little."""

UNMEASURED = (
    "Captions seldom tell of this, and these do not; the video itself was not measured. Ask it by "
    "its file, so that it is."
)


Layers = Sequence[tuple[Sequence[Caption], NDArray[np.float32]]]
"""Captions and embeddings of each track that a question is answered from, its own first."""


class Search(Protocol):
    """Chooses the captions to be read."""

    def __call__(
        self,
        layers: Layers,
        *,
        limit_tokens: int,
        beside_scenes: bool,
        sight: SightEvidence | None,
    ) -> Retrieved:
        """Choose from all tracks, in the seconds that are searched.

        ``limit_tokens``: most tokens of the captions chosen; ``beside_scenes``: whether summaries
        of the scenes are read in place of most captions; ``sight``: compares the question with
        frames, where one of the tracks holds some.
        """
        ...


def watched(question: Question, record: VideoRecord, cost: Cost) -> Update:
    """The state of a question whose video has its captions; costs and times start again.

    Where no stretch is given, the one that the question names is searched.
    """
    said = None if _is_judged_whole(question.query) else take_stretch(question.query)[1]
    named = said.within(record.duration_s) if said and question.within is None else None
    return {
        "asked": question.query,
        "asked_within": (named.start_s, named.end_s) if named else question.within,
        "all_times": question.every_time or read_question(question.query).every_time,
        "record": cast("RecordState", record.as_dict()),
        "spent": {stage: cost_state(Cost()) for stage in STAGES} | {"captioner": cost_state(cost)},
    }


def retrieve_by(search: Search, state: AfterWatch, using: Dependencies) -> Update:
    """The captions worth reading that a search finds, and what goes with them."""
    record = VideoRecord.from_dict(state["record"])
    whole = read_tracks(using.store, record, leave_out=using.leave_out)
    within = searched_part(state)
    seen = using.sight.read(record.video_id) if using.sight else None
    # What only measures says nothing of things; where frames are compared, they decide that.
    if using.sight and using.sight.by_picture:
        if seen is None:
            raise VideoError(
                f"no frame of {record.path} was looked at, so that a picture can be compared with "
                "none; index it with --sight"
            )
        order: Layers = [seen.frames]
    else:
        order = with_sight(whole, seen.frames, record) if seen else whole
    layers = [inside(captions, vectors, within) for captions, vectors in order]
    overview, cost = _overview(record, whole, layers, using)
    found = search(
        layers,
        limit_tokens=using.evidence_tokens - sum(map(caption_tokens, overview)),
        beside_scenes=using.context == "scenes" and bool(overview),
        sight=seen.evidence if seen else None,
    )
    if found.ranking.verdict == "not_found" and _is_unmeasured(state["asked"], layers):
        ranking = replace(found.ranking, verdict="cannot_tell", reasoning=UNMEASURED)
        found = replace(found, ranking=ranking)
    if not (using.sight and using.sight.by_picture):
        thought = thought_over(
            state["asked"],
            found.ranking,
            [one for captions, _ in whole for one in captions],
            embedder=using.embedder,
            has_sound=lambda: _has_sound(record),
        )
        if all(are_shown(one, found.captions) for one in thought.events):
            found = replace(found, ranking=thought)
    named = take_stretch(state["asked"])[1]
    is_there = bool(named and named.within(record.duration_s))
    # A moment that the video does not have is one of what it shows: "going home at 11:00".
    is_asked = read_question(state["asked"]).is_open or _is_judged_whole(state["asked"])
    is_meant = named is not None and (is_there or named.moment_s is None or is_asked)
    if named and is_meant and not (is_there and _is_judged_whole(state["asked"])):
        found = replace(found, ranking=_searched_only(found.ranking, named, record, within))
    evidence: list[Any] = [
        caption.as_dict() | {"relevance": relevance}
        for caption, relevance in zip(found.captions, found.relevance, strict=True)
    ]
    scenes: list[Any] = [] if found.is_whole else [scene.as_dict() for scene in overview]
    coverage = _coverage(found.ranking, record, whole, using.store)
    return {
        "overview": scenes,
        "spent": add_cost(state["spent"], "reasoner", cost),
        "evidence": evidence,
        "ranking": cast("RankingState", found.ranking.as_dict()),
        "opening": len(found.captions),
        "coverage": cast("CoverageState", coverage.model_dump()),
        "attempts": 0,
        "turns": [],
        "refined": None,
        "refine_note": "",
        "order": "",
        "withheld": "",
        "reader_note": "",
        "all_shown": found.is_whole,
        "is_granted": read_question(state["asked"]).is_presupposed,
        "direct": NOT_ASKED,
        "judging": NOT_JUDGED,
        # Captions that only mark frames say nothing that could agree.
        "paths": [] if is_blank(record.track) else [similarity_path(found.ranking)],
    }


def _overview(
    record: VideoRecord, whole: Layers, layers: Layers, using: Dependencies
) -> tuple[list[Caption], Cost]:
    """The scenes of a long video, where not all captions of it can be shown; else none are made.

    They take half of what may be shown at most, or all of it where they stand in for captions.
    """
    beside = using.context == "scenes"
    # What is measured beside captions is told in part only, and where it answers.
    beside_it = [one for one, _ in layers[1:] if one and not is_measured(one[0].track)]
    told = [layers[0][0], *beside_it]
    if using.overview is None or (not beside and fit(told, using.evidence_tokens)):
        return [], Cost()
    scenes, cost = using.overview(record, *whole[0])
    room = using.evidence_tokens if beside else int(OVERVIEW_SHARE * using.evidence_tokens)
    return shortened(scenes, room), cost


def shortened(scenes: Sequence[Caption], limit_tokens: int) -> list[Caption]:
    """Summaries cut to one length, so that they fit; none where too little of each would be left.

    Args:
        scenes: Summaries.
        limit_tokens: Most tokens of all of them; see ``caption_tokens``.
    """
    if sum(map(caption_tokens, scenes)) <= limit_tokens:
        return list(scenes)
    chars = 3 * (limit_tokens // len(scenes) - CAPTION_FRAME_TOKENS)
    if chars < FEWEST_CHARS:
        return []
    # An ellipsis is three bytes.
    return [replace(one, text=shorten(one.text, chars - 2)) for one in scenes]


def _has_sound(record: VideoRecord) -> bool:
    from tools.video.sound import has_sound

    return has_sound(Path(record.path))


def _is_judged_whole(query: str) -> bool:
    """Whether it asks if something is there at a moment: when it is, says the whole video."""
    asked = read_question(query)
    return asked.at_s is not None and measured_need(asked.text) is None


def _searched_only(
    ranking: Ranking, named: SaidStretch, record: VideoRecord, within: Interval | None
) -> Ranking:
    """With a note on the stretch that the question names, or that the video is over by then."""
    if within is None or named.within(record.duration_s) is None:
        why = f"The video ends at {clock(record.duration_s)}, before the time that is asked for."
        return replace(ranking, verdict="not_found", events=(), reasoning=why, is_exact=True)
    note = f"Searched: {clock_span(within)}."
    return replace(ranking, reasoning=f"{ranking.reasoning} {note}")


def _is_unmeasured(query: str, layers: Layers) -> bool:
    """Whether all that is asked is what is measured, of a video that was not measured."""
    if any(is_measured(captions[0].track) for captions, _ in layers if captions):
        return False
    return measured_need(query) == "picture" and can_be_measured(query)


def with_sight(
    layers: Layers, frames: tuple[Sequence[Caption], NDArray[np.float32]], record: VideoRecord
) -> Layers:
    """The tracks that are asked, with frames among them: the first decides what is not there."""
    if is_blank(record.track):
        return [frames, *layers[1:]]  # Captions that say nothing answer nothing.
    return [frames, *layers] if is_measured(record.track) else [*layers, frames]


def _coverage(
    ranking: Ranking, record: VideoRecord, layers: Layers, store: CaptionStore
) -> Coverage:
    """What was seen of the video by those whose word counts."""
    answering = [one for one in ranking.heard if one.answers]
    if answering and all(one.kind == "measured" for one in answering):
        for captions, _ in layers:
            for one in store.records(record.video_id):
                if (
                    captions
                    and captions[0].track == one.track
                    and one.track.key == answering[0].track
                ):
                    return coverage_of(captions, one, store)
    return coverage_of(layers[0][0], record, store)


def searched_part(state: AfterWatch) -> Interval | None:
    """The stretch that is searched; None for the whole video.

    Raises:
        QueryError: If it is past the end.
    """
    duration_s = state["record"]["duration_s"]
    if state["asked_within"] is None:
        return None
    start_s, end_s = state["asked_within"]
    if start_s >= duration_s:
        raise QueryError(
            f"nothing is left to search from {start_s:g} s on: the video is {duration_s:.1f} s long"
        )
    return Interval(start_s, min(end_s, duration_s))
