"""Time travel: a thread's question is answered again from one of its steps, by other models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import StateSnapshot

from agent.errors import QueryError
from agent.graph.events import Event
from agent.graph.graph import Graph
from agent.graph.running import run_graph
from agent.graph.state import Question
from agent.grounding import Cost, Grounding, Usage


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same question answered twice.

    Attributes:
        node: The step that the second answer began at.
        before: The answer when it was asked, before any replay.
        after: The answer now.
    """

    node: str
    before: Grounding
    after: Grounding


def replay(
    graph: Graph,
    thread: str,
    node: str,
    *,
    on_event: Callable[[Event], None] | None,
    describe_anew: bool = False,
) -> Replayed:
    """Run a thread's last question again from just before a node, with the graph as it is now.

    Where the node ran several times, this begins before the first: there are no refused replies of
    another model yet.

    The earlier steps stay in the thread; the new ones are added.

    Args:
        graph: With the checkpointer that holds the thread.
        thread: Its name.
        node: Where to begin; everything earlier is taken from the thread.
        on_event: Receives events.
        describe_anew: Whether another captioner is wanted, whose captions later steps would read.

    Raises:
        QueryError: If there is no such thread or node, or the thread never reached it; or if new
            captions are wanted where none would be made.
    """
    nodes = [name for name in graph.get_graph().nodes if not name.startswith("__")]
    if node not in nodes:
        raise QueryError(f"there is no step {node!r}; there are {', '.join(nodes)}")
    kept: RunnableConfig = {"configurable": {"thread_id": thread}}
    history = list(graph.get_state_history(kept))
    if not history:
        raise QueryError(
            f"there is no thread {thread!r}; `whenabouts ask … --thread {thread}` makes one"
        )
    answered = _first_answer(history)
    way = _way_to(answered, history) if answered else history
    begun = next((one for one in reversed(way) if node in one.next), None)
    if answered is None or begun is None:
        came_to = sorted({name for one in way for name in one.next} & set(nodes))
        raise QueryError(
            f"the thread {thread!r} has no {'answer' if begun else f'step {node!r}'} to go back "
            f"to; it has {', '.join(came_to)}"
        )
    if describe_anew:
        _check_describes(node, begun)
    if node == "watch":
        config = _about_the_same_video(graph, begun, answered)
        after = run_graph(graph, None, on_event, config)
    else:
        after = _without_describing(run_graph(graph, None, on_event, begun.config), way)
    return Replayed(node, Grounding.model_validate(answered.values["grounding"]), after)


def _first_answer(history: Sequence[StateSnapshot]) -> StateSnapshot | None:
    """The state in which the latest question was first answered; later ones are replays of it."""
    answers = [one for one in history if "grounding" in one.values and not one.next]
    if not answers:
        return None
    question = _way_to(answers[0], history)[-1]
    of_it = [one for one in answers if _way_to(one, history)[-1] is question]
    return of_it[-1]


def _check_describes(node: str, begun: StateSnapshot) -> None:
    if node != "watch":
        raise QueryError(
            f"another captioner needs --from watch: from {node!r} on, only existing captions are "
            "read"
        )
    if captions := begun.values.get("captions"):
        raise QueryError(
            f"this thread was answered from the captions in {captions}, which no captioner made; "
            "ask the video with --captioner, and without --captions"
        )


def _about_the_same_video(
    graph: Graph, begun: StateSnapshot, answered: StateSnapshot
) -> RunnableConfig:
    """The step before ``watch``, with the video's id: another file may be in its place now."""
    asked = {name: one for name, one in begun.values.items() if name in Question.model_fields}
    same = asked | {"video": answered.values["record"]["video_id"]}
    return graph.update_state(begun.config, same, as_node=START)


def _without_describing(answer: Grounding, way: Sequence[StateSnapshot]) -> Grounding:
    """The answer without the cost of its captions, which existed already."""
    spent = next(one.values["spent"] for one in reversed(way) if "spent" in one.values)
    described = Cost.model_validate(spent["captioner"])
    stages, seconds = answer.usage.stages, answer.usage.seconds
    left = stages | {"captioner": stages["captioner"].minus(described)}
    usage = Usage.of(left, answer.usage.kept, seconds | {"watch": 0.0})
    return answer.model_copy(update={"usage": usage})


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
