"""Values of ours as the graph's state holds them: plain, and named after what they stand for.

Each is what the ``as_dict`` or ``model_dump`` of its type writes.
"""

from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from agent.grounding import PathName, Role
from agent.reasoning.answer import Answer
from tools.ranking import EvidenceKind, Verdict
from tools.timeline import Source


class CostState(TypedDict):
    """An ``agent.grounding.Cost``."""

    captions: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    calls: int
    frames: int


class TrackState(TypedDict):
    """A ``tools.timeline.Track``."""

    model: str
    prompt_version: str
    mode: str


class RecordState(TypedDict):
    """A ``tools.store.store.VideoRecord``."""

    video_id: str
    path: str
    duration_s: float
    track: TrackState
    rate_hz: float | None
    complete: bool
    warning: str
    indexed_at: str
    captions: int


class CaptionState(TypedDict):
    """A ``tools.timeline.Caption``."""

    id: str
    video_id: str
    start_s: float
    end_s: float
    text: str
    source: Source
    model: str
    prompt_version: str
    mode: str


class EvidenceState(CaptionState):
    """A caption that the reasoner was shown; without ``relevance`` where it was looked up."""

    relevance: float | None


class WindowState(TypedDict):
    """A ``tools.ranking.Window``."""

    start_s: float
    end_s: float
    score: float
    confidence: float
    track: NotRequired[str]


class PartState(TypedDict):
    """A ``tools.ranking.PartFound``."""

    text: str
    times: list[WindowState]


class HeardState(TypedDict):
    """A ``tools.ranking.Testimony``."""

    kind: EvidenceKind
    name: str
    track: str
    verdict: Verdict
    answers: bool
    agrees: NotRequired[bool | None]
    best: NotRequired[list[float] | None]


class RankingState(TypedDict):
    """A ``tools.ranking.Ranking``, without the relevance of each caption."""

    verdict: Verdict
    windows: list[WindowState]
    events: list[WindowState]
    reasoning: str
    presence: float | None
    parts: list[PartState]
    heard: NotRequired[list[HeardState]]
    is_unclear: NotRequired[bool]


class GapState(TypedDict):
    """An ``agent.grounding.Gap``."""

    start_s: float
    end_s: float
    reason: str


class CoverageState(TypedDict):
    """An ``agent.grounding.Coverage``."""

    seen_s: float
    rate_hz: float | None
    gaps: list[GapState]


class RequestState(TypedDict):
    """An ``agent.reasoning.reply.Request``."""

    tool: str
    arguments: dict[str, Any]  # As the model gave them.


class LookUpState(RequestState):
    """An ``agent.grounding.LookUp``."""

    caption_ids: list[str]
    note: str


class RefusalState(TypedDict):
    """An ``agent.grounding.Refusal``."""

    attempt: int
    kind: str
    message: str
    reply: str


class TurnState(TypedDict):
    """An ``agent.reasoning.brief.Turn``."""

    said: str
    look_ups: list[LookUpState]
    refusal: RefusalState | None


class AskedState(TypedDict):
    """Who was asked for a reply: its name, how its answers are marked, its prompts' versions."""

    name: str
    by: Literal["llm", "similarity", "direct"]
    prompts: dict[str, str]


class ReplyState(TypedDict):
    """An ``agent.reasoning.reply.Reply``, and who was asked for it; its cost is in ``spent``.

    ``in_parts`` says whether it tells of each part of the question, and not of the whole.
    """

    text: str
    cut_off: bool
    in_parts: bool
    requests: list[RequestState]
    asked_of: AskedState


class StepState(TypedDict):
    """An ``agent.reasoning.answer.Step``."""

    caption: int
    role: Role
    why: str


class NumbersState(TypedDict):
    """First and last caption of an event."""

    first: int
    last: int


class EventState(NumbersState):
    """An ``agent.reasoning.answer.NumberedEvent``."""

    sure: str


class RefinedState(NumbersState):
    """An ``agent.graph.refine.RefinedEvent``."""

    looks: Literal["", "confirmed", "denied"]


class AnswerState(TypedDict):
    """An ``agent.reasoning.answer.Answer``."""

    steps: list[StepState]
    found: bool
    events: list[EventState]
    reason: str


def answer_state(answer: Answer) -> AnswerState:
    """The same as plain values."""
    return cast("AnswerState", answer.model_dump())


class DirectState(TypedDict):
    """What became of asking a video model.

    ``status`` is ``""`` (not asked), ``asking`` (its reply is to be checked, or was refused),
    ``done``, or ``failed``. ``frames`` are captions that stand for the frames of the last request,
    and ``accepted`` has their numbers, from 1; ``is_whole`` says whether all that is searched was
    shown. ``kept`` is what a reply that was kept from before cost then.
    """

    status: Literal["", "asking", "done", "failed"]
    name: str
    prompts: dict[str, str]
    turns: list[TurnState]
    attempts: int
    frames: list[EvidenceState]
    is_whole: bool
    accepted: AnswerState | None
    why: str
    note: str
    kept: NotRequired[CostState]


class JudgedState(TypedDict):
    """An ``agent.reasoning.judge.JudgedSpan``."""

    start_s: float
    end_s: float
    shows: float
    says: Literal["yes", "part", "no"]
    by: Literal["odds", "word"]
    frames: int


class JudgingState(TypedDict):
    """What became of judging: ``is_over`` once it need not be tried (again).

    ``decided`` says whether the answer is the window that the judge ranked first, ``kept`` what
    verdicts that were kept from before cost then.
    """

    is_over: bool
    decided: bool
    name: str
    prompts: dict[str, str]
    verdicts: list[JudgedState]
    note: str
    kept: NotRequired[CostState]


class PathState(TypedDict):
    """What one way to an answer says: its events, best first, in seconds."""

    path: PathName
    by: str
    verdict: Verdict
    spans: list[list[float]]
