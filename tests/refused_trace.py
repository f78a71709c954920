"""Writes the trace that ``docs/reading-a-trace.md`` reads: an answer refused twice, then accepted.

    python -m tests.refused_trace

writes it anew, and what it prints into that page: do so when a prompt has changed. The graph, the
store and the client of the text model are real; the model is a script.
"""

import re
import tempfile
from pathlib import Path

from agent.cli.trace_tree import render_trace
from agent.reasoning.text_model import LLMReasoner
from agent.tracing.tracer import TraceTargets, Tracing
from tests.package.source_imports import ROOT
from tests.road import GOOD_REPLY, QUESTION, graph_with, stored
from tests.servers import says, serving
from tools.llm.prices import Price

FILE = ROOT / "docs" / "refused-answer.trace.jsonl"
PAGE = ROOT / "docs" / "reading-a-trace.md"

REPLIES = (
    "The dog jumps at about nine seconds.",
    '{"steps": [], "found": true, "events": [{"first": 7, "last": 5}]}',
    GOOD_REPLY,
)


def write_trace(file: Path) -> None:
    """Ask when a dog jumps, and write what happens to a file that is not there yet."""
    price = Price(1.0, 10.0, "2026-01-31", "a test")
    with (
        tempfile.TemporaryDirectory() as scratch,
        stored(Path(scratch)) as store,
        serving([says(reply) for reply in REPLIES]) as server,
        Tracing(TraceTargets(file=file), tell=print) as tracing,
    ):
        reasoner = LLMReasoner("openai:tiny", base_url=server.url, prices={"tiny": price})
        graph = graph_with(store, reasoner)
        with tracing.step("find", {"video": "road.mp4", "query": QUESTION.query}) as step:
            step.outputs = graph.invoke(QUESTION)


def text_blocks() -> list[str]:
    """What the page shows of the shipped trace: the tree, and how a refusal was told back."""
    lines = render_trace(FILE, prompts=True).splitlines()
    attempt = next(place for place, line in enumerate(lines) if "attempt 2" in line)
    said = next(place for place in range(attempt, len(lines)) if REPLIES[0] in lines[place])
    last = next(place for place in range(said, len(lines)) if lines[place].endswith("─" * 25))
    return [render_trace(FILE), "\n".join(lines[said - 1 : last + 1])]


if __name__ == "__main__":
    FILE.unlink(missing_ok=True)
    write_trace(FILE)
    blocks = iter(text_blocks())
    page = PAGE.read_text(encoding="utf-8")
    shown = re.sub(r"(?<=```text\n).*?(?=\n```)", lambda _: next(blocks), page, flags=re.DOTALL)
    PAGE.write_text(shown, encoding="utf-8")
