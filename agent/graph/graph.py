"""The graph: watch → retrieve → reason → check → verify → refine → answer.

Two edges lead back to ``reason``: from ``check`` where a reply was refused, and from ``look_up``,
where the reasoner goes when it wants to see more captions before it answers. ``direct`` shows a
video model frames before anybody reads captions; its replies are checked, and refused, too.
``verify`` has an image model judge the likeliest windows, and compares the ways to an answer.
``refine`` looks closer at the edges of an accepted answer.

This file is the picture: what the nodes do is in ``agent.graph.nodes``.
"""

from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.graph.dependencies import Dependencies
from agent.graph.nodes import Nodes, timed
from agent.graph.state import (
    AfterCheck,
    AfterReason,
    AfterRetrieve,
    Answered,
    Options,
    Question,
    State,
)

Graph = CompiledStateGraph[State, Options, Question, Answered]


def build_graph(
    dependencies: Dependencies, *, checkpointer: BaseCheckpointSaver[Any] | None = None
) -> Graph:
    """Compile the graph.

    Input is a ``Question`` or a dict of its fields, the context ``Options`` or nothing; output
    ``{"grounding": …}``, a ``Grounding`` in its JSON form. ``stream(…, stream_mode="custom")``
    yields what ``agent.graph.events`` writes.

    Raises (when run):
        WhenaboutsError: What the dependencies raise for bad input.
    """
    nodes = Nodes(dependencies)

    def after_retrieve(state: AfterRetrieve) -> Literal["direct", "reason"]:
        return "direct" if nodes.asks_directly(state) else "reason"

    def after_direct(state: AfterRetrieve) -> Literal["check", "reason"]:
        return "check" if nodes.asks_direct_again(state) else "reason"

    def after_reason(state: AfterReason) -> Literal["look_up", "check", "fall_back"]:
        if state["withheld"]:
            return "fall_back"
        return "look_up" if state["reply"]["requests"] else "check"

    def after_check(
        state: AfterCheck,
    ) -> Literal["answer", "verify", "refine", "direct", "reason", "fall_back"]:
        if state["accepted"] is not None:
            return after_accepting(state)
        if state["reply"]["asked_of"]["by"] == "direct":
            return "direct" if nodes.asks_direct_again(state) else "reason"
        return "reason" if state["attempts"] < dependencies.now().max_attempts else "fall_back"

    def after_accepting(state: AfterCheck) -> Literal["answer", "verify", "refine"]:
        return "verify" if nodes.is_worth_verifying(state) else after_verify(state)

    def after_verify(state: AfterCheck) -> Literal["answer", "refine"]:
        return "refine" if nodes.is_worth_refining(state) else "answer"

    graph = StateGraph(State, context_schema=Options, input_schema=Question, output_schema=Answered)
    graph.add_node("watch", timed(nodes.watch))
    graph.add_node("retrieve", timed(nodes.retrieve))
    graph.add_node("direct", timed(nodes.direct))
    graph.add_node("reason", timed(nodes.reason))
    graph.add_node("look_up", timed(nodes.look_up))
    graph.add_node("check", timed(nodes.check))
    graph.add_node("fall_back", timed(nodes.fall_back))
    graph.add_node("verify", timed(nodes.verify))
    graph.add_node("refine", timed(nodes.refine))
    graph.add_node("answer", timed(nodes.answer))
    graph.add_edge(START, "watch")
    graph.add_edge("watch", "retrieve")
    graph.add_conditional_edges("retrieve", after_retrieve)
    graph.add_conditional_edges("direct", after_direct)
    graph.add_conditional_edges("reason", after_reason)
    graph.add_edge("look_up", "reason")
    graph.add_conditional_edges("check", after_check)
    graph.add_conditional_edges("fall_back", after_accepting)
    graph.add_conditional_edges("verify", after_verify)
    graph.add_edge("refine", "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer, name="whenabouts")
