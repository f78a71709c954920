"""A short video that exists in the store only: a road, and a dog that jumps from 8 s to 14 s."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

from agent.graph.graph import Graph, Parts, build_graph
from agent.graph.state import Question
from agent.grounding import Cost, Grounding
from agent.reasoning.brief import Brief, Reply
from tests.fakes import WordEmbedder
from tools.indexing.indexer import Progress, Report
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Track

TRACK = Track("file:test", "", "file")
TEXTS = (
    ["an empty grey road"] * 4 + ["a brown dog jumps over a fence"] * 3 + ["an empty grey road"] * 5
)
RECORD = VideoRecord(
    video_id="video1",
    path="/videos/road.mp4",
    duration_s=24.0,
    track=TRACK,
    rate_hz=None,
    complete=True,
    warning="",
    indexed_at="2026-01-01T00:00:00+00:00",
    captions=len(TEXTS),
)
QUESTION = Question(video="video1", query="a dog jumps")
GOOD_REPLY = json.dumps(
    {
        "steps": [{"caption": 5, "role": "start", "why": "the dog is there"}],
        "found": True,
        "events": [{"first": 5, "last": 7}],
    }
)


class ScriptedReasoner:
    """Says what it is told to say, and keeps what it was asked."""

    name = "scripted"
    by: Literal["llm", "similarity"] = "llm"
    prompts: dict[str, str] = {"reason": "v1"}  # noqa: RUF012  # the protocol has a plain attribute

    def __init__(self, *replies: str | Reply) -> None:
        self._replies = iter(replies)
        self.asked: list[Brief] = []

    def reply(self, brief: Brief) -> Reply:
        self.asked.append(brief)
        said = next(self._replies)
        return Reply(said) if isinstance(said, str) else said


def watch(question: Question, *, report: Report) -> tuple[VideoRecord, Cost]:
    report(Progress("/videos/road.mp4", "file:test", 24.0, 24.0, 12, resumed=False))
    assert question.video == RECORD.video_id
    return RECORD, Cost()


@contextmanager
def stored(folder: Path, texts: list[str] = TEXTS, track: Track = TRACK) -> Iterator[CaptionStore]:
    """A store with one caption for every two seconds."""
    shutil.copytree(_written(tuple(texts), track), folder, dirs_exist_ok=True)
    with CaptionStore.open(folder, embedder=WordEmbedder.name) as opened:
        yield opened


@cache
def _written(texts: tuple[str, ...], track: Track) -> Path:
    """Such a store, written once; copying it takes a tenth of the time."""
    folder = Path(tempfile.mkdtemp(prefix="whenabouts-road-"))
    atexit.register(shutil.rmtree, folder)
    embedder = WordEmbedder()
    captions = [
        Caption("video1", Interval(2.0 * i, 2.0 * i + 2), text, "vision", track)
        for i, text in enumerate(texts)
    ]
    with CaptionStore.open(folder, embedder=embedder.name) as opened:
        opened.add(captions, embedder.embed([caption.text for caption in captions]))
    return folder


def graph_with(store: CaptionStore, reasoner: Any, checkpointer: Any = None, **parts: Any) -> Graph:
    given = {"watch": watch, "store": store, "embedder": WordEmbedder(), "reasoner": reasoner}
    return build_graph(Parts(**(given | parts)), checkpointer=checkpointer)


def ask(graph: Graph, question: Any = QUESTION, config: Any = None) -> Grounding:
    return Grounding.model_validate(graph.invoke(question, config)["grounding"])
