"""The ways to an answer in the graph's state: what each says, and what became of asking. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from agent.graph.plain_values import (
    AnswerState,
    DirectState,
    EventState,
    EvidenceState,
    JudgingState,
    PathState,
)
from agent.graph.state import AfterRetrieve, Update, cost_state
from agent.grounding import Cost, PathAnswer, PathName, Stage
from tools.ranking import Ranking
from tools.timeline import Interval

AGREE_IOU: Final = 0.3
"""Ways to an answer that name intervals this much alike mean the same moment: they differ more in
what they take to be its beginning and its end."""

NO_COST: Final = cost_state(Cost())
NOT_ASKED: Final = DirectState(
    status="",
    name="",
    prompts={},
    turns=[],
    attempts=0,
    frames=[],
    is_whole=False,
    accepted=None,
    why="",
    note="",
    kept=NO_COST,
)
NOT_JUDGED: Final = JudgingState(
    is_over=False, decided=False, name="", prompts={}, verdicts=[], note="", kept=NO_COST
)


def direct_of(state: AfterRetrieve) -> DirectState:
    """What became of asking a video model; a thread of an earlier version knows nothing of it."""
    return state.get("direct", NOT_ASKED)


def judging_of(state: AfterRetrieve) -> JudgingState:
    """What became of judging."""
    return state.get("judging", NOT_JUDGED)


def kept_costs(state: AfterRetrieve) -> dict[Stage, Cost]:
    """What was kept from earlier questions and cost nothing now, by stage, if there is any."""
    # A thread of an earlier version does not know.
    kept: dict[Stage, Cost] = {
        "judge": Cost.model_validate(judging_of(state).get("kept", NO_COST)),
        "direct": Cost.model_validate(direct_of(state).get("kept", NO_COST)),
    }
    return {stage: cost for stage, cost in kept.items() if cost != Cost()}


def is_settled(state: AfterRetrieve) -> bool:
    """Whether ways to an answer were compared."""
    return judging_of(state)["is_over"]


def similarity_path(ranking: Ranking) -> PathState:
    """What the LLM-free grounder says."""
    spans = [[one.span.start_s, one.span.end_s] for one in ranking.events]
    return PathState(path="similarity", by="similarity", verdict=ranking.verdict, spans=spans)


def told_path(path: PathName, by: str, spans: Sequence[Interval]) -> PathState:
    """What a model says that can rule a thing out."""
    plain = [[span.start_s, span.end_s] for span in spans]
    return PathState(path=path, by=by, verdict="found" if plain else "not_found", spans=plain)


def with_path(state: AfterRetrieve, path: PathState) -> list[PathState]:
    """The ways so far with one more, or with what one says now."""
    return [one for one in state.get("paths", []) if one["path"] != path["path"]] + [path]


def spans_of(
    accepted: Mapping[str, Any] | None, captions: Sequence[Mapping[str, Any]]
) -> list[Interval]:
    """The events of an accepted answer in seconds, in its order."""
    return [
        Interval(captions[event["first"] - 1]["start_s"], captions[event["last"] - 1]["end_s"])
        for event in (accepted or {}).get("events", ())
    ]


def adopted(accepted: AnswerState, frames: Sequence[EvidenceState], state: AfterRetrieve) -> Update:
    """The state with a video model's answer as the accepted one, and its frames as evidence."""
    before = len(state["evidence"])
    events: list[EventState] = [
        {**event, "first": event["first"] + before, "last": event["last"] + before}
        for event in accepted["events"]
    ]
    return {
        "accepted": {**accepted, "events": events},
        "by": "direct",
        "evidence": [*state["evidence"], *frames],
    }


def same_place(span: Interval, spans: Sequence[Interval]) -> bool:
    """Whether an interval means one of these moments."""
    return any(span.iou(other) >= AGREE_IOU for other in spans)


def path_answers(
    state: AfterRetrieve,
    verdict: str,
    answer: Sequence[Interval],
    *,
    placed: Callable[[Interval], Interval],
) -> tuple[PathAnswer, ...]:
    """What each way says beside the answer; none where there was only one way.

    Args:
        state: What was answered.
        verdict: That of the answer.
        answer: Its intervals.
        placed: Puts the edges of a span of captions where those of an answer are put.
    """
    paths = state.get("paths", [])
    if len(paths) < 2:
        return ()
    return tuple(_beside(path, verdict, answer, placed) for path in paths)


def _beside(
    path: PathState,
    verdict: str,
    answer: Sequence[Interval],
    placed: Callable[[Interval], Interval],
) -> PathAnswer:
    best = Interval(*path["spans"][0]) if path["spans"] else None
    if best and path["path"] != "direct":
        best = placed(best)  # A video model's are of its frames.
    agrees: bool | None
    if path["verdict"] == "cannot_tell" or verdict == "cannot_tell":
        agrees = None
    elif path["path"] == "judge" and verdict != "found":
        agrees = None  # It says which window is the best, not whether one is good enough.
    elif best is None or not answer:
        agrees = path["verdict"] == verdict
    else:
        agrees = same_place(best, answer)
    return PathAnswer(
        path=path["path"],
        by=path["by"],
        verdict=path["verdict"],
        best=(best.start_s, best.end_s) if best else None,
        agrees=agrees,
    )
