"""Running the graph for a caller that waits: events are told in the caller's thread."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig

from agent.graph.cancelling import Background, nobody
from agent.graph.events import Event, heard_by
from agent.graph.graph import Graph
from agent.graph.state import Question
from agent.grounding import Grounding
from tools.llm.retries import retries_heard_by

if TYPE_CHECKING:
    from langgraph.types import StreamMode


def run_graph(
    graph: Graph,
    question: Question | None,
    on_event: Callable[[Event], None] | None,
    config: RunnableConfig | None = None,
    *,
    before_step: Callable[[], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Grounding:
    """Run the graph to its end.

    Args:
        graph: From ``build_graph``.
        question: What is asked; None goes on from the checkpoint that ``config`` names.
        on_event: Receives events, in this thread.
        config: Names a thread, or a checkpoint of one.
        before_step: Called before each step; what it raises ends the run.
        on_step: Called with the name of each node that begins, in the graph's thread; what it
            raises ends the run.
    """
    # Plain, so that a thread holds no type of ours, whose module may move one day.
    asked: Any = None if question is None else question.model_dump(mode="json")

    def run(told: Background[Event, Grounding]) -> Grounding:
        answer: dict[str, Any] = {}
        update: Any
        modes: list[StreamMode] = ["values", *(("tasks",) if on_step else ())]
        with heard_by(told.tell), retries_heard_by(told.tell):
            for kind, update in graph.stream(asked, config, stream_mode=modes):
                if kind == "tasks":
                    if on_step and "input" in update:  # Its end has none.
                        on_step(update["name"])
                else:
                    told.go_on()
                    if before_step:
                        before_step()
                    answer = update
        return Grounding.model_validate(answer["grounding"])

    return Background(run).listen(on_event or nobody)
