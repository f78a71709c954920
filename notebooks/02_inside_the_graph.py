# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Inside the graph
#
# whenabouts is a [LangGraph](https://github.com/langchain-ai/langgraph) state machine: `watch →
# retrieve → reason → check → answer`, with ways back.

# %%
import json
import tempfile
from pathlib import Path
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from agent.api import Grounder, Settings
from agent.reasoning.reply import Reply, Request

lobby = Path("../examples/lobby")
home = Path(tempfile.mkdtemp())
question = {
    "video": str(lobby / "lobby.mp4"),
    "query": "a blonde with very long hair comes to the table",
    "captions": str(lobby / "lobby.jsonl"),
}
grounder = Grounder(Settings(home=home))
print(grounder.graph.get_graph().draw_mermaid())

# %% [markdown]
# ## Node by node
# Each node returns only what it owns.

# %%
for step in grounder.graph.stream(question, stream_mode="updates"):
    for node, wrote in step.items():
        print(f"{node:9} wrote {', '.join(sorted(wrote))}")

# %% [markdown]
# ## A refusal, and the retry
# A reasoner turns a brief into the text of a reply. This one is scripted: first it looks
# something up, then it swaps the ends of the event, then it answers well. `check` refuses the
# second reply with a reason, which the model is told. With a real model,
# `Settings(reasoner="openai:gpt-5-mini")` stands here in its place.


# %%
class Scripted:
    """Says what it is told to say."""

    name, by, prompts = "scripted", "llm", {}

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def reply(self, brief: Any) -> Reply:
        for turn in brief.turns:
            if turn.refusal:
                print("told:", turn.refusal.message)
        return self.replies.pop(0)


def naming(first: int, last: int) -> Reply:
    """An answer from one caption to another."""
    events = [{"first": first, "last": last}]
    return Reply(json.dumps({"steps": [], "found": True, "events": events}))


look = Request("read_captions", {"start_s": 50.0, "end_s": 56.0})
script = [Reply("", (look,)), naming(35, 27), naming(27, 35)]
scripted = Grounder(Settings(home=home), reasoner=Scripted(*script))
for event in scripted.stream(**{**question, "video": lobby / "lobby.mp4"}):
    print(type(event).__name__)
event

# %% [markdown]
# ## Back in time
# With `thread=`, every step is kept. `replay` answers again from one of them: here from `reason`,
# with the LLM-free grounder in place of the scripted model. `--thread` and `whenabouts replay` do
# the same.

# %%
kept = Grounder(Settings(home=home), reasoner=Scripted(naming(27, 35)))
kept.find(**{**question, "video": lobby / "lobby.mp4"}, thread="curls")
kept.close()
other = Grounder(Settings(home=home))
replayed = other.replay("curls", "reason")
[
    (one.by, one.intervals[0].start_s, one.intervals[0].end_s)
    for one in (replayed.before, replayed.after)
]

# %% [markdown]
# ## Another captioner
# A captioner says something of frames, lazily and in order.

# %%
from tools.captioners.protocol import Description


class Brightness:
    """Says how bright each frame is."""

    model, prompt_version, mode = "brightness", "", "frame"

    def describe(self, frames: Any, *, seen: Any) -> Any:
        for frame in frames:
            if frame.time_s not in seen:
                level = "bright" if frame.image.mean() > 150 else "dim"
                yield Description(frame.time_s, f"a {level} picture", "vision")


with Grounder(Settings(home=home, rate_hz=0.2), captioner=Brightness()) as bright:
    told = bright.find(lobby / "lobby.mp4", "a bright picture")
told.models.captioner, told.verdict

# %% [markdown]
# ## whenabouts in a larger graph
# The compiled graph is a node like any other.


# %%
class Report(TypedDict, total=False):
    """What the outer graph works on."""

    video: str
    query: str
    captions: str
    grounding: dict[str, Any]
    headline: str


def headline(state: Report) -> Report:
    """A line about the answer."""
    spans = [(one["start_s"], one["end_s"]) for one in state["grounding"]["intervals"]]
    return {"headline": f"{state['query']}: {spans}"}


outer = StateGraph(Report)
outer.add_node("find", grounder.graph)
outer.add_node("headline", headline)
outer.add_edge(START, "find")
outer.add_edge("find", "headline")
outer.add_edge("headline", END)
print(outer.compile().invoke(question)["headline"])

# %%
for one in (grounder, scripted, other):
    one.close()
