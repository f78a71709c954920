"""What the graph works with, handed in from outside so that anybody can replace parts of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from langgraph.runtime import get_runtime

from agent.errors import SettingsError
from agent.graph.state import Options
from prompts.catalog import PACKAGED, Prompts
from tools.retrieval.retrieval import EVIDENCE_TOKENS

if TYPE_CHECKING:
    from agent.graph.state import Question
    from agent.grounding import Cost
    from agent.reasoning.brief import Reasoner
    from agent.reasoning.direct import Direct
    from agent.reasoning.edge_reply import EdgeLooks
    from agent.reasoning.judge import Judge
    from agent.reasoning.look_ups import Closer
    from agent.reasoning.scene_overview import Overview
    from agent.watching.sight import SeenVideo
    from tools.embedders.embedder import Embedder
    from tools.indexing.indexer import Report
    from tools.store.store import CaptionStore, VideoRecord

Context = Literal["retrieved", "all", "scenes"]


class Watch(Protocol):
    """Makes sure that a question's video has its captions in the store."""

    def __call__(self, question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
        """Return the record to answer from, and what it took to have its captions."""
        ...


class FramesSeen(Protocol):
    """Reads frames that were looked at by a joint model; see ``agent.watching.sight``."""

    @property
    def by_picture(self) -> bool:
        """Whether a picture is asked for, in place of words."""
        ...

    def read(self, video_id: str) -> SeenVideo | None:
        """The frames of a video, and what compares a question with them; None if there are none."""
        ...

    def unseen(self, video_ids: Sequence[str]) -> dict[str, str]:
        """Why frames say nothing of some of these videos, which were not looked at."""
        ...

    def likeliest(self, query: str, video_ids: Sequence[str]) -> list[str]:
        """Which of these videos have frames like what is asked for, the best first."""
        ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the graph is built from.

    Attributes:
        watch: Captions what is missing.
        store: Holds the captions that ``watch`` vouches for.
        embedder: The one the captions were embedded with.
        reasoner: Decides from captions.
        max_attempts: Answers asked of the reasoner before the LLM-free answer stands in.
        max_look_ups: How often it may look something up before it answers; 0 offers it no tools.
        evidence_tokens: Most tokens of captions shown at once.
        context: What is shown where not all captions fit: those ``retrieved`` for the query, as
            many of ``all`` as fit at even distances, or summaries of the ``scenes``.
        overview: Sums up the scenes of a long video for a text model; None where nobody reads them.
        closer: Describes a few seconds of a video again, more closely; None where nobody can.
        edge_looks: Looks at the frames around an edge in one request; None where nobody can. Where
            it returns None, ``closer`` describes them one by one.
        refine: Whether ``closer`` looks at the edges of every answer.
        judge: Says of windows whether they show what is looked for; None where nobody does.
        direct: A video model that is shown frames; None where there is none.
        every_path: Whether captions are read too where a video model has answered.
        leave_out: Kinds of tracks that are not read even if they are there; see ``read_tracks``.
        sight: Finds the frames of a video that were looked at by a joint model; None where nobody
            compares pictures with words.
        prompts: Describe the look-ups, and word an answer's advice.
        open_reasoner: Opens another reasoner by name, for a run that wants one; None: no run may.
    """

    watch: Watch
    store: CaptionStore
    embedder: Embedder
    reasoner: Reasoner
    max_attempts: int = 3
    max_look_ups: int = 3
    evidence_tokens: int = EVIDENCE_TOKENS
    context: Context = "retrieved"
    overview: Overview | None = None
    closer: Closer | None = None
    edge_looks: EdgeLooks | None = None
    refine: bool = True
    judge: Judge | None = None
    direct: Direct | None = None
    every_path: bool = False
    leave_out: frozenset[str] = frozenset()
    sight: FramesSeen | None = None
    prompts: Prompts = PACKAGED
    open_reasoner: Callable[[str], Reasoner] | None = None

    def now(self) -> Dependencies:
        """The dependencies as the current run of the graph wants them.

        Raises:
            SettingsError: If it wants a reasoner that cannot be opened.
        """
        # A graph that this one is a part of may have a context of its own kind.
        # There is none at all where a state is written before the graph runs.
        runtime: Any = get_runtime(Options)
        options = runtime.context if runtime else None
        return self.for_run(options) if isinstance(options, Options) else self

    def for_run(self, options: Options) -> Dependencies:
        """The dependencies as one run wants them.

        Raises:
            SettingsError: If it wants a reasoner that cannot be opened.
        """
        reasoner = self.reasoner
        if options.reasoner is not None and options.reasoner != reasoner.name:
            if self.open_reasoner is None:
                raise SettingsError(
                    f"this graph answers only by {reasoner.name}, not by {options.reasoner}"
                )
            reasoner = self.open_reasoner(options.reasoner)
        attempts, look_ups = options.max_attempts, options.max_look_ups
        return replace(
            self,
            reasoner=reasoner,
            max_attempts=self.max_attempts if attempts is None else attempts,
            max_look_ups=self.max_look_ups if look_ups is None else look_ups,
            refine=self.refine if options.refine is None else options.refine,
            judge=self.judge if options.verify is not False else None,
            # Who names a reasoner for a run wants that one to decide.
            direct=self.direct if options.direct or options.is_silent_on_direct else None,
        )
