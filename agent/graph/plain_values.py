"""Values of ours as the graph's state holds them: plain, and named after what they stand for.

Each is what the ``as_dict`` or ``model_dump`` of its type writes.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from agent.grounding import Role
from tools.ranking import EvidenceKind, Verdict
from tools.timeline import Source


class CostState(TypedDict):
    """An ``agent.grounding.Cost``."""

    captions: int
    tokens_in: int
    tokens_out: int
    usd: float | None


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


class RankingState(TypedDict):
    """A ``tools.ranking.Ranking``, without the relevance of each caption."""

    verdict: Verdict
    windows: list[WindowState]
    events: list[WindowState]
    reasoning: str
    presence: float | None
    parts: list[PartState]
    heard: NotRequired[list[HeardState]]


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
    by: Literal["llm", "similarity"]
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
    """An ``agent.reasoning.answer.NumberedEvent``."""

    first: int
    last: int


class AnswerState(TypedDict):
    """An ``agent.reasoning.answer.Answer``."""

    steps: list[StepState]
    found: bool
    events: list[NumbersState]
