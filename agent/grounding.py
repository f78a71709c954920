"""The answer that every front door gives: one versioned schema for Python, JSON and later servers.

``Grounding.model_json_schema(by_alias=True)`` is its published JSON Schema. Times are seconds,
rounded only where they are printed, to a microsecond; an interval that is empty, reversed or past
the video's end cannot be constructed.
"""

import json
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.errors import RefusalKind
from tools.ranking import EvidenceKind, Verdict
from tools.timeline import Interval, Source

SCHEMA_VERSION: Final = 1

Stage = Literal["captioner", "reasoner", "judge", "direct"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)

Role = Literal["before", "start", "during", "end", "after"]
DecidedBy = Literal["caption", "closer_look", "video", "unseen"]

PathName = Literal["captions", "similarity", "judge", "direct"]
"""A way to an answer: a text model that reads captions; the LLM-free grounder; an image model that
judges the grounder's windows; a video model that is shown frames."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Span(_Frozen):
    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _must_be_an_interval(self) -> "_Span":
        Interval(self.start_s, self.end_s)
        return self

    @property
    def span(self) -> Interval:
        """The same as an ``Interval``."""
        return Interval(self.start_s, self.end_s)


class Evidence(_Span):
    """A caption that proves an edge: what was there before, at, between or after the edges."""

    caption_id: str
    role: Role
    text: str
    source: Source


class GroundedInterval(_Span):
    """One stretch of the video that answers the query.

    Attributes:
        confidence: Estimated probability, in [0, 1], that this interval answers the query; None
            where a text model decided, for which no such number has been calibrated.
        sure: How sure it is in words, where a text model decided: from its own word, the grounder's
            agreement and closer looks. None otherwise.
        start_precision_s: The true start lies at most this long before or after ``start_s``.
        end_precision_s: The true end lies at most this long before or after ``end_s``.
        start_by: What decided the start: a ``caption``, a ``closer_look`` at the time before it, or
            nothing: it is the video's own (``video``), or what was before it was not looked at
            (``unseen``).
        end_by: What decided the end, in the same terms; an ``unseen`` one may be any time
            later.
        evidence: Captions around both edges, in time order.
    """

    confidence: float | None = Field(ge=0, le=1)
    sure: Literal["certain", "likely", "unsure"] | None = None
    start_precision_s: Seconds
    end_precision_s: Seconds
    start_by: DecidedBy = "caption"
    end_by: DecidedBy = "caption"
    evidence: tuple[Evidence, ...]


class Candidate(_Span):
    """A window that retrieval proposed; candidates may overlap.

    Attributes:
        judged: How far it shows what is looked for, says the judge, in [0, 1]; comparable inside
            one video only. None where it was not judged.
    """

    score: float
    confidence: float = Field(ge=0, le=1)
    judged: float | None = Field(default=None, ge=0, le=1)


class PathAnswer(_Frozen):
    """What one way to an answer says, beside the others.

    Attributes:
        path: Which way.
        by: Who went it.
        verdict: What it says; a ``judge`` compares windows, and always names the best.
        best: The interval that it prefers; None unless found.
        agrees: Whether that is the answer: its best interval lies where an interval of the answer
            does (IoU 0.3), or both say that there is none. None where it cannot tell.
    """

    path: PathName
    by: str
    verdict: Verdict
    best: tuple[Seconds, Seconds] | None
    agrees: bool | None


class Gap(_Span):
    """A stretch that no caption speaks of; ``reason`` where the captioner gave one, else empty."""

    reason: str = ""


class VideoFacts(_Frozen):
    """Which video was asked.

    Attributes:
        id: Hash of its content.
        path: Where it was last seen.
        duration_s: How long it decodes.
        file_start_s: How long before the first picture, which is time 0 here, the file begins. A
            player counts from there: add this to find a time in one.
    """

    id: str
    path: str
    duration_s: float = Field(gt=0)
    file_start_s: Seconds = 0.0


class Coverage(_Frozen):
    """How much of the video the captions behind the answer have seen.

    Attributes:
        seen_s: Seconds that some caption covers.
        rate_hz: Frames looked at per second; None where the captions came from elsewhere.
        gaps: Stretches no caption covers.
    """

    seen_s: Seconds
    rate_hz: float | None
    gaps: tuple[Gap, ...]


class AskedSource(_Frozen):
    """One source of evidence that the question was put to.

    Attributes:
        kind: ``described`` by an image model or a captions file, ``measured`` by the classical
            describer, ``said``, ``written`` on the screen, or ``seen``: frames by their looks.
        name: Who or what made it.
        verdict: Its own verdict.
        answers: Whether the answer is made from it.
        agrees: Whether it points to the surest interval of the answer too, or finds nothing either
            where nothing was found; None where it is silent about that.
        best: Where it finds it; None unless found.
    """

    kind: EvidenceKind
    name: str
    verdict: Verdict
    answers: bool
    agrees: bool | None = None
    best: tuple[Seconds, Seconds] | None = None


class Refusal(_Frozen):
    """A reply that was not accepted: which rule it broke, what it was told, what it said."""

    attempt: int = Field(ge=1)
    kind: RefusalKind
    message: str
    reply: str


class LookUp(_Frozen):
    """Captions that the reasoner asked for before it answered.

    Attributes:
        tool: Which tool it used.
        arguments: With what.
        caption_ids: What it was shown for it, in time order.
        note: What it was told beside them: why there are none, for example.
    """

    tool: str
    arguments: dict[str, Any]
    caption_ids: tuple[str, ...]
    note: str = ""


class Models(_Frozen):
    """Who took part, so that a stored answer can be reproduced.

    Attributes:
        captioner: Whose captions it is made from.
        mode: How the captioner looked: ``frame@1/s distinct4``, ``grid4@1/s``, ``file``.
        reasoner: Who decides from captions.
        judge: Who judged windows; empty where nobody did.
        direct: Who was shown frames and asked; empty where nobody was.
        embedder: Who embedded captions and query.
        sight: The joint image-text model by which frames themselves were searched; else empty.
        prompts: Version of each prompt by name; ``describe`` is the captioner's.
    """

    captioner: str
    mode: str
    reasoner: str
    embedder: str
    sight: str = ""
    prompts: dict[str, str]
    judge: str = ""
    direct: str = ""


class Cost(_Frozen):
    """What something cost.

    Attributes:
        captions: Captions that had to be made.
        tokens_in: Tokens of input, as services count them.
        tokens_out: Tokens of output.
        usd: US dollars; None where a price or a count is not known.
        calls: Questions put to a model, beside the captions; retries of its client are not counted.
        frames: Frames that a model was shown with such a question.
    """

    captions: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = 0.0
    calls: int = 0
    frames: int = 0

    def plus(self, other: "Cost") -> "Cost":
        """Both together; dollars once unknown stay unknown."""
        is_known = self.usd is not None and other.usd is not None
        return Cost(
            captions=self.captions + other.captions,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            calls=self.calls + other.calls,
            frames=self.frames + other.frames,
            usd=self.usd + other.usd if is_known else None,  # type: ignore[operator]  # is_known
        )

    def minus(self, other: "Cost") -> "Cost":
        """What came on top of the other one; dollars once unknown stay unknown."""
        is_known = self.usd is not None and other.usd is not None
        return Cost(
            captions=self.captions - other.captions,
            tokens_in=self.tokens_in - other.tokens_in,
            tokens_out=self.tokens_out - other.tokens_out,
            calls=self.calls - other.calls,
            frames=self.frames - other.frames,
            usd=self.usd - other.usd if is_known else None,  # type: ignore[operator]  # is_known
        )


class Usage(Cost):
    """What the answer cost: every caption, and every reply, refused ones and look-ups too.

    Attributes:
        stages: The same by stage: the ``captioner``, closer looks too; the ``reasoner``; the
            ``judge``; and the model that is asked ``direct``.
        kept: What was not paid for again, by stage: what verdicts and replies that are kept from
            earlier questions cost when they were given. It is in none of the sums.
        seconds: Wall time by graph node.
    """

    stages: dict[Stage, Cost] = Field(default_factory=dict)
    kept: dict[Stage, Cost] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def of(
        cls, stages: dict[Stage, Cost], kept: dict[Stage, Cost], seconds: dict[str, float]
    ) -> "Usage":
        """The sums over all stages."""
        total = Cost()
        for cost in stages.values():
            total = total.plus(cost)
        return cls(**total.model_dump(), stages=stages, kept=kept, seconds=seconds)


class Grounding(_Frozen):
    """The answer to one query about one video.

    Attributes:
        verdict: ``not_found`` where the captions show that it is not there; ``cannot_tell`` where
            they could not show it either way.
        presence: Estimated probability, in [0, 1], that it happens in this video at all, were that
            so for half of all queries; None where no such estimate can be made.
        intervals: Where it happens, best first; empty unless found.
        candidates: Every window the grounder ranked, best first, at most ten; they may overlap.
        closest_rejected: With ``not_found``, the best candidate that was not good enough.
        reasoning: Why, in a sentence or two.
        advice: With ``cannot_tell``, what would enable an answer; otherwise empty.
        by: Who decided: a text model, the LLM-free grounder, that grounder standing in for a
            model whose replies were all refused, or a video model that was shown frames
            (``direct``).
        paths: What each way to an answer says, where there were several.
        attempts: Answers asked for; 0 where a limit did not allow one.
        refusals: Those of them that were not accepted.
        look_ups: What the reasoner looked up on the way, in order.
        sources: Every source of evidence that was asked, and which of them answers.
        warning: What the reader should know about the video file; empty where nothing.
        picture: The file of a picture that was asked for in place of words; else empty.
    """

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, alias="schema")
    query: str
    video: VideoFacts
    verdict: Verdict
    presence: float | None = Field(ge=0, le=1)
    intervals: tuple[GroundedInterval, ...]
    candidates: tuple[Candidate, ...]
    closest_rejected: Candidate | None
    reasoning: str
    advice: str = ""
    by: Literal["llm", "similarity", "fallback", "direct"]
    paths: tuple[PathAnswer, ...] = ()
    attempts: int = Field(ge=0)
    refusals: tuple[Refusal, ...]
    look_ups: tuple[LookUp, ...] = ()
    coverage: Coverage
    models: Models
    sources: tuple[AskedSource, ...] = ()
    usage: Usage
    warning: str = ""
    picture: str = ""

    @model_validator(mode="after")
    def _must_agree_with_itself(self) -> "Grounding":
        if (self.verdict == "found") != bool(self.intervals):
            raise ValueError(f"verdict {self.verdict!r} with {len(self.intervals)} intervals")
        for interval in (*self.intervals, *self.candidates):
            if interval.end_s > self.video.duration_s:
                raise ValueError(
                    f"an interval ends at {interval.end_s} s, past the video's "
                    f"{self.video.duration_s} s"
                )
        return self

    def printed(self) -> dict[str, Any]:
        """The published form as plain values, numbers rounded to six decimals.

        Times are computed, and 4.56 s is not to be printed as 4.559999999999999.
        """
        plain: dict[str, Any] = _rounded(self.model_dump(mode="json", by_alias=True))
        return plain

    def to_json(self, *, indent: int | None = None) -> str:
        """The published JSON form."""
        separators = (",", ":") if indent is None else None
        return json.dumps(self.printed(), indent=indent, separators=separators, ensure_ascii=False)

    def _repr_html_(self) -> str:
        """How it shows itself in a notebook."""
        from tools.answer_html import answer_html

        return answer_html(self.model_dump(mode="json"))


_DECIMALS = 6


def _rounded(plain: Any) -> Any:
    if isinstance(plain, float):
        return round(plain, _DECIMALS)
    if isinstance(plain, dict):
        return {name: _rounded(value) for name, value in plain.items()}
    return [_rounded(value) for value in plain] if isinstance(plain, list) else plain
