"""What a grounder is put together from, each piece when it is first needed."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from agent.graph.cancelling import under_way
from agent.graph.dependencies import Dependencies
from agent.graph.graph import Graph, build_graph
from agent.graph.threads import open_threads
from agent.tracing.tracer import Tracing, trace_targets
from agent.watching.closer_looks import SecondLooks
from agent.watching.destinations import Destinations
from agent.watching.image_paths import ImagePaths
from agent.watching.opened import LateReasoner, Opened, made_once
from agent.watching.runs import Runs
from agent.watching.watcher import Watcher
from prompts.catalog import PACKAGED, Prompts

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.sqlite import SqliteSaver

    from agent.reasoning.brief import Reasoner
    from agent.settings import Settings
    from agent.watching.choice import Confirm
    from tools.captioners.protocol import Captioner


class Assembly:
    """The rooms of one grounder, which know each other, and the graph over them.

    Several threads may use it at the same time. The arguments are those of ``Grounder``.

    Attributes:
        prompts: What models are told.
        runs: Keep what is done within the limits of a run.
        opened: Opens store, embedder, captioner and reasoner.
        watcher: Makes captions.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        captioner: Captioner | None,
        reasoner: Reasoner | None,
        closer: Callable[[str], Captioner] | None,
        tell: Callable[[str], None],
        confirm: Confirm | None,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._making = threading.RLock()
        self._files = ExitStack()
        self._destinations = Destinations(settings, tell)
        self.prompts = Prompts.read(settings.prompts) if settings.prompts else PACKAGED
        self.runs = Runs(settings)
        self.opened = Opened(
            settings,
            prompts=self.prompts,
            runs=self.runs,
            destinations=self._destinations,
            captioner=captioner,
            reasoner=reasoner,
            tell=tell,
            confirm=confirm,
        )
        self.watcher = Watcher(
            settings,
            self.opened,
            prompts=self.prompts,
            runs=self.runs,
            under_way=under_way,
            tell=tell,
            name_host=self._destinations.frames,
        )
        self._second_looks = SecondLooks(
            settings,
            self.opened,
            prompts=self.prompts,
            given_closer=closer,
            runs=self.runs,
            describing=self.watcher.describing,
            under_way=under_way,
            tell=tell,
            name_host=self._destinations.frames,
        )
        self._image_paths = ImagePaths(
            settings,
            self.opened,
            prompts=self.prompts,
            runs=self.runs,
            describing=self.watcher.describing,
            under_way=under_way,
            tell=tell,
            name_host=self._destinations.frames,
        )

    @made_once
    def tracing(self) -> Tracing:
        """Where questions are traced; nowhere unless the settings say so."""
        targets = trace_targets(self._settings)
        remote = (targets.langsmith, targets.otlp)
        self._destinations.traces(*(one.url for one in remote if one))
        return Tracing(targets, tell=self._tell)

    @made_once
    def dependencies(self) -> Dependencies:
        """What the nodes of the graph work with."""
        return Dependencies(
            watch=self.watcher.watch_for,
            store=self.opened.store,
            embedder=self.opened.embedder,
            reasoner=LateReasoner(self.opened),
            max_attempts=self._settings.max_attempts,
            max_look_ups=self._settings.max_look_ups,
            evidence_tokens=self._settings.evidence_tokens,
            context=self._settings.context,
            overview=self._second_looks.overview,
            closer=self._second_looks.closer,
            edge_looks=self._second_looks.edge_looks,
            refine=self._settings.refine is not False,
            judge=self._image_paths.judge,
            direct=self._image_paths.direct,
            every_path=self._settings.every_path,
            leave_out=frozenset({"subtitles"} if self._settings.subtitles == "off" else ()),
            sight=self.opened.sight,
            prompts=self.prompts,
            open_reasoner=self.opened.open_reasoner,
        )

    @made_once
    def graph(self) -> Graph:
        """The graph that every question goes through."""
        return build_graph(self.dependencies)

    @made_once
    def threads(self) -> tuple[Graph, SqliteSaver]:
        """The same graph, with the checkpointer that keeps its steps in the file of threads."""
        saver = self._files.enter_context(open_threads(self._settings.threads_file))
        graph: Any = self.graph.copy(update={"checkpointer": saver})
        return graph, saver

    def new_thread(self, name: str) -> tuple[Graph, RunnableConfig]:
        """The graph that keeps its steps, and a thread without those of an earlier question."""
        graph, saver = self.threads
        saver.delete_thread(name)
        return graph, {"configurable": {"thread_id": name}}

    def close(self) -> None:
        """Let go of the store and of files; what needs them opens them again."""
        with self._making:
            for name in ("graph", "threads", "dependencies"):
                self.__dict__.pop(name, None)
            self._files.close()
            tracing: Tracing | None = self.__dict__.pop("tracing", None)
        self.opened.close()
        if tracing:
            tracing.close()
