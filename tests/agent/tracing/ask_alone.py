"""Asks about a video, or runs the graph by itself, in a process of its own that is traced."""

import sys
from unittest.mock import patch

from agent.api import Grounder
from agent.graph.state import Question
from tests.fakes import WordEmbedder


def main(way: str, video: str, captions: str) -> None:
    """Ask, and close nothing; where LangSmith is stands in the environment."""
    grounder = Grounder(tell=lambda line: sys.stderr.writelines([line, "\n"]))
    if way == "find":
        verdict = grounder.find(video, "a dog barks", captions=captions).verdict
    else:
        grounder.watch(video, captions=captions)
        state = grounder.graph.invoke(Question(video=video, query="a dog barks"))
        verdict = state["grounding"]["verdict"]
    sys.stdout.write(f"{verdict}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with patch("agent.watching.opened.open_embedder", new=lambda *_, **__: WordEmbedder()):
        main(*sys.argv[1:])
