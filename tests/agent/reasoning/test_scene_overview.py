"""The scenes of a long video, summed up by the text model once, shown where not all fits."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import api
from agent.api import Grounder
from agent.graph.retrieving import shortened
from agent.settings import load_settings
from tests.fakes import WordEmbedder
from tests.road import RECORD, TRACK
from tests.servers import Answer, Asked, Server, fails, says, serving
from tools.retrieval.retrieval import caption_tokens
from tools.timeline import Caption, Interval

pytestmark = pytest.mark.usefixtures("word_embedder")


STEP_S = 2.0
TEXTS = ["an empty grey road"] * 200 + ["a brown dog jumps over a fence"] * 5 + ["a river"] * 195
GOOD = '{"steps": [], "found": false, "events": []}'


def fill(grounder: Grounder, texts: Sequence[str] = TEXTS, step_s: float = STEP_S) -> None:
    captions = [
        Caption(RECORD.video_id, Interval(n * step_s, (n + 1) * step_s), text, "vision", TRACK)
        for n, text in enumerate(texts)
    ]
    grounder.store.add(captions, WordEmbedder().embed(texts))
    duration_s = len(texts) * step_s
    grounder.store.put_record(replace(RECORD, duration_s=duration_s, captions=len(texts)))


def script(asked: Asked) -> Answer:
    if '"summary"' in prompt(asked):
        return says('{"summary": "Somebody drives along."}')
    return says(GOOD)


def prompt(asked: Asked) -> str:
    return "\n".join(str(message["content"]) for message in asked.body["messages"])


def ask(server: Server, **more: Any) -> api.Grounding:
    settings = load_settings(
        reasoner="openai:tiny", OPENAI_BASE_URL=server.url, evidence_tokens=2000, **more
    )
    with Grounder(settings) as grounder:
        fill(grounder)
        return grounder.find(RECORD.video_id, "a dog jumps")


@pytest.mark.slow
def test_scenes_are_summed_up_once_and_shown(tmp_path: Path) -> None:
    with serving(script) as server:
        first = ask(server)
        summed_up = [asked for asked in server.asked if '"summary"' in prompt(asked)]
        shown = prompt(server.asked[-1])
        assert 5 <= len(summed_up) == len(server.asked) - 1
        assert shown.count("Somebody drives along.") == len(summed_up)
        assert first.usage.stages["reasoner"].tokens_in == 100 * len(server.asked)
        count = len(server.asked)
        ask(server)
        assert len(server.asked) == count + 1, "summaries are kept"


@pytest.mark.slow
def test_nothing_is_summed_up_where_all_captions_are_shown_anyway(tmp_path: Path) -> None:
    with serving(script) as server:
        settings = load_settings(reasoner="openai:tiny", OPENAI_BASE_URL=server.url)
        with Grounder(settings) as grounder:
            fill(grounder, TEXTS[100:290], step_s=5.0)
            grounder.find(RECORD.video_id, "a dog jumps")
    assert len(server.asked) == 1


def test_summaries_are_cut_to_the_room_that_there_is() -> None:
    scenes = [
        Caption("video1", Interval(60 * at, 60 * at + 60), "a long word " * 33, "vision", TRACK)
        for at in range(60)
    ]
    assert shortened(scenes, 100_000) == scenes
    for room in (1000, 2000, 4000):
        cut = shortened(scenes, room)
        assert sum(map(caption_tokens, cut)) <= room
        assert [one.span for one in cut] == [one.span for one in scenes][: len(cut)]
        assert len(cut) in {0, 60}
    assert shortened(scenes, 1000) == []
    assert shortened(scenes, 4000)


@pytest.mark.slow
def test_in_place_of_captions_scenes_are_shown_and_the_edges_of_windows(tmp_path: Path) -> None:
    with serving(script) as server:
        ask(server)
        retrieved = prompt(server.asked[-1])
        ask(server, context="scenes")
        scenes = prompt(server.asked[-1])
    assert "Somebody drives along." in scenes
    assert scenes.count("\n#") < retrieved.count("\n#") / 2


@pytest.mark.slow
def test_a_reply_that_is_no_summary_gives_the_central_captions(tmp_path: Path) -> None:
    with serving([says("I cannot"), *[says(GOOD)] * 50]) as server:
        ask(server)
    assert json.dumps("an empty grey road")[1:-1] in prompt(server.asked[-1])


@pytest.mark.slow
def test_one_scene_that_a_service_declines_does_not_lose_the_others(tmp_path: Path) -> None:
    def declines_one(asked: Asked) -> Answer:
        if '"summary"' in prompt(asked) and "a brown dog" in prompt(asked):
            return fails(400, "no", code="content_filter")
        return script(asked)

    with serving(declines_one) as server:
        answer = ask(server)
        shown = prompt(server.asked[-1])
        count = len(server.asked)
        ask(server)
        assert len(server.asked) == count + 1
    assert "Somebody drives along." in shown
    assert answer.by == "llm"


@pytest.mark.slow
def test_summaries_that_were_paid_are_kept_where_the_service_then_fails(tmp_path: Path) -> None:
    def runs_dry(asked: Asked) -> Answer:
        if '"summary"' in prompt(asked) and asked.number >= 4:
            return fails(402, "Insufficient Balance")
        return script(asked)

    with serving(runs_dry) as server:
        ask(server)
        assert len(server.asked) >= 5
    with serving(script) as server:
        ask(server)
        of_scenes = [one for one in server.asked if '"summary"' in prompt(one)]
        scenes = prompt(server.asked[-1]).count("Somebody drives along.")
    assert len(of_scenes) == scenes - 4, "what was paid for is not paid for again"


def test_a_short_video_is_not_summed_up(tmp_path: Path) -> None:
    with serving(script) as server:
        settings = load_settings(reasoner="openai:tiny", OPENAI_BASE_URL=server.url)
        with Grounder(settings) as grounder:
            caption = Caption(RECORD.video_id, Interval(0, 24), "a road", "vision", TRACK)
            grounder.store.add([caption], WordEmbedder().embed(["a road"]))
            grounder.store.put_record(RECORD)
            grounder.find(RECORD.video_id, "a dog jumps")
        assert len(server.asked) == 1
