"""Your own LangGraph, with whenabouts as a tool: it looks for one thing, then for what follows.

python examples/own_graph.py lobby.mp4 "something enters" "something leaves"
"""

import sys
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from agent.api import Grounder, Grounding
from agent.tool import make_find_moment


class Search(TypedDict, total=False):
    """What the graph works on: two things to look for, and when they were found."""

    first: str
    then: str
    first_s: float
    then_s: float


def build(video: str, *, grounder: Grounder) -> Any:
    """A graph of two looks; the second is only made where the first one found something."""
    find_moment = make_find_moment(grounder, video=video)

    def look_for(query: str) -> Grounding:
        # A tool call as a model makes it; the whole answer is the message's artifact.
        call = {"name": "find_moment", "args": {"query": query}, "id": "1", "type": "tool_call"}
        found: Grounding = find_moment.invoke(call).artifact
        return found

    def first(state: Search) -> Search:
        answer = look_for(f"the first time {state['first']}")
        return {"first_s": answer.intervals[0].start_s} if answer.intervals else {}

    def then(state: Search) -> Search:
        after = f"{state['then']} after the first time {state['first']}"
        answer = look_for(after)
        return {"then_s": answer.intervals[0].start_s} if answer.intervals else {}

    graph = StateGraph(Search)
    graph.add_node(first)
    graph.add_node(then)
    graph.add_edge(START, "first")
    graph.add_conditional_edges("first", lambda state: "then" if "first_s" in state else END)
    graph.add_edge("then", END)
    return graph.compile()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(str(__doc__))
    with Grounder() as opened:
        print(
            build(sys.argv[1], grounder=opened).invoke({"first": sys.argv[2], "then": sys.argv[3]})
        )
