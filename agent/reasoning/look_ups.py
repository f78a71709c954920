"""What a reasoner may look up before it answers, as LangChain tools: search, read, look closer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import CaptionerError, VideoError
from agent.grounding import Cost, LookUp
from agent.reasoning.reply import Request
from prompts.catalog import PACKAGED, Prompts
from tools.embedders.embedder import Embedder
from tools.indexing.closer_look import MAX_FRAMES, MAX_RATE_HZ
from tools.retrieval.retrieval import caption_tokens, search_captions
from tools.retrieval.tracks import read_stretch, read_tracks
from tools.store.store import CaptionStore, VideoRecord
from tools.text import shorten, whole_unicode
from tools.timeline import Caption, Interval

LOOK_UP_TOKENS = 2000
"""Captions that one look-up shows, at most; see ``tools.retrieval.retrieval.caption_tokens``."""

MAX_REQUESTS = 4
"""Look-ups in one reply; a model that wants more at once is told to ask again."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Closer(Protocol):
    """Describes a stretch of a video again, on a denser grid."""

    def __call__(
        self, record: VideoRecord, query: str, span: Interval, *, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        """Return the captions in time order, and what they cost.

        Raises:
            CaptionerError, VideoError: If it cannot; the reasoner is told why, and goes on.
        """
        ...


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchArguments(_Arguments):
    """Other words to search for."""

    text: str = Field(min_length=1, max_length=300)


class ReadArguments(_Arguments):
    """A stretch of the video."""

    start_s: Seconds
    end_s: Seconds


class LookCloserArguments(ReadArguments):
    """A stretch of the video, and how closely to look."""

    rate_hz: float = Field(gt=0, le=MAX_RATE_HZ, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class LookUpTools:
    """What one question's look-ups search and read.

    Attributes:
        record: The video, and the track that the question is answered from.
        query: The question.
        store: Holds the captions.
        embedder: The one they were embedded with.
        closer: Looks closer; None where nobody can.
        leave_out: Kinds of tracks that are not read; see ``read_tracks``.
        prompts: Describe the tools.
    """

    record: VideoRecord
    query: str
    store: CaptionStore
    embedder: Embedder
    closer: Closer | None
    leave_out: frozenset[str] = frozenset()
    prompts: Prompts = PACKAGED

    def offered(self) -> list[BaseTool]:
        """The tools that a model is offered and ``look_up`` runs.

        Each returns ``(captions in time order, what they cost)``. There is no closer look
        at captions that came from elsewhere: they are all that the user wants answers from.
        """
        tools = [
            self._tool("search_captions", self._search, SearchArguments),
            self._tool("read_captions", self._read, ReadArguments),
        ]
        if self.closer and self.record.rate_hz is not None:
            frames = str(MAX_FRAMES)
            look = self._look_closer
            tools.append(self._tool("look_closer", look, LookCloserArguments, frames=frames))
        return tools

    def _search(self, text: str) -> tuple[list[Caption], Cost]:
        if not text.strip():
            return [], Cost()
        tracks = read_tracks(self.store, self.record, leave_out=self.leave_out)
        duration_s = self.record.duration_s
        return search_captions(text, tracks, embedder=self.embedder, duration_s=duration_s), Cost()

    def _read(self, start_s: float, end_s: float) -> tuple[list[Caption], Cost]:
        span = Interval(start_s, end_s)
        return read_stretch(self.store, self.record, span, leave_out=self.leave_out), Cost()

    def _look_closer(
        self, start_s: float, end_s: float, rate_hz: float
    ) -> tuple[list[Caption], Cost]:
        assert self.closer is not None
        return self.closer(self.record, self.query, Interval(start_s, end_s), rate_hz=rate_hz)

    def _tool(self, name: str, does: Any, arguments: type[BaseModel], **facts: str) -> BaseTool:
        description = self.prompts.render(name, **facts)
        return StructuredTool.from_function(
            does, name=name, description=description, args_schema=arguments
        )


def look_up(request: Request, tools: Sequence[BaseTool]) -> tuple[LookUp, list[Caption], Cost]:
    """Do what a model asked for; what cannot be done is said in the look-up's note.

    Args:
        request: As ``tame_request`` leaves it, otherwise unchecked.
        tools: Those that it was offered.

    Returns:
        The look-up, the captions it showed, and what they cost.
    """
    captions: list[Caption] = []
    cost = Cost()
    tool = next((one for one in tools if one.name == request.tool), None)
    if tool is None:
        names = ", ".join(one.name for one in tools)
        note = f"There is no tool of that name; there are {names}."
    else:
        try:
            captions, cost = tool.invoke(request.arguments)
            note = "" if captions else "No caption was found."
        except ValidationError as exc:
            faults = [
                f"{'.'.join(map(str, error['loc'])) or 'arguments'}: {error['msg']}"
                for error in exc.errors()[:3]
            ]
            note = f"Wrong arguments: {shorten('; '.join(faults), 300)}."
        except (ValueError, CaptionerError, VideoError) as exc:
            # An Interval's complaint, or a closer look that is not possible.
            note = f"That was not possible: {shorten(str(exc), 300)}."
    shown = _within_budget(captions)
    if len(shown) < len(captions):
        note = f"The first {len(shown)} of {len(captions)} captions; ask for less to see the rest."
    ids = tuple(caption.id for caption in shown)
    told = LookUp(tool=request.tool, arguments=request.arguments, caption_ids=ids, note=note)
    return told, shown, cost


def tame_request(request: Request) -> Request:
    """A model's request, made fit to be stored and published: nothing odd in it, nothing long."""
    arguments = {
        shorten(whole_unicode(str(name)), 40): _tame_value(value)
        for name, value in list(request.arguments.items())[:8]
    }
    return Request(shorten(whole_unicode(request.tool), 40), arguments)


def _tame_value(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) and abs(value) < 1e12:  # Not NaN either.
        return value
    return shorten(whole_unicode(_spelled(value)), 300)


def _spelled(value: Any) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError):
        return "…"  # A number of thousands of digits, or lists in lists without end.


def _within_budget(captions: Sequence[Caption]) -> list[Caption]:
    left = LOOK_UP_TOKENS
    shown: list[Caption] = []
    for caption in captions:
        left -= caption_tokens(caption)
        if left < 0 and shown:
            break
        shown.append(caption)
    return shown
