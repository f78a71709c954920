"""Time travel: a question of a thread answered again from one of its steps, by other models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from agent.errors import QueryError
from agent.events import Event
from agent.graph import Graph, run_graph
from agent.grounding import Grounding


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same question answered twice.

    Attributes:
        node: The step that the second answer began at.
        before: What was answered then.
        after: What is answered now.
    """

    node: str
    before: Grounding
    after: Grounding


def replay(graph: Graph, thread: str, node: str, *, on_event: Callable[[Event], None]) -> Replayed:
    """Run a thread's last question again from just before a node, with the graph's own parts.

    Where it came to the node several times, it goes back to the first: replies that another model
    was refused are not there yet.

    The steps of before stay in the thread; those of now are added.

    Args:
        graph: With the checkpointer that holds the thread.
        thread: Its name.
        node: Where to begin; everything earlier is taken from the thread.
        on_event: Receives what happens on the way.

    Raises:
        QueryError: If there is no such thread or node, or the thread never came to it.
    """
    nodes = [name for name in graph.get_graph().nodes if not name.startswith("__")]
    if node not in nodes:
        raise QueryError(f"there is no step {node!r}; there are {', '.join(nodes)}")
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    history = list(graph.get_state_history(config))
    if not history:
        raise QueryError(
            f"there is no thread {thread!r}; `whenabouts ask … --thread {thread}` makes one"
        )
    answered = next((one for one in history if "grounding" in one.values), None)
    way = _way_to(answered, history) if answered else history
    begun = next((one for one in reversed(way) if node in one.next), None)
    if answered is None or begun is None:
        came_to = sorted({name for one in way for name in one.next} & set(nodes))
        raise QueryError(
            f"the thread {thread!r} has no {'answer' if begun else f'step {node!r}'} to go back "
            f"to; it came to {', '.join(came_to)}"
        )
    after = run_graph(graph, None, on_event, begun.config)
    return Replayed(node, Grounding.model_validate(answered.values["grounding"]), after)


def _way_to(state: StateSnapshot, history: Sequence[StateSnapshot]) -> list[StateSnapshot]:
    """The states of one question that led to this one, latest first."""
    known = {_checkpoint(one.config): one for one in history}
    way = [state]
    while (state.metadata or {}).get("source") != "input" and state.parent_config:
        state = known[_checkpoint(state.parent_config)]
        way.append(state)
    return way


def _checkpoint(config: RunnableConfig) -> str:
    return str(config["configurable"]["checkpoint_id"])
