"""Image models that are asked: the activity strategy, closer looks, what they cost and refuse."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.errors import QueryError, SettingsError
from agent.reasoning.reply import Reply, Request
from agent.settings import Settings, load_settings
from tests.drawing import draw_video, even_times
from tests.road import ScriptedReasoner
from tests.servers import Answer, Asked, Server, refuses, says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


FRAMES = 6
FOUND = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(4 * FRAMES, 4.0))


def settings_for(server: Server, **more: object) -> Settings:
    return load_settings(captioner="openai:tiny", OPENAI_BASE_URL=server.url, **more)


def prompts(server: Server) -> list[str]:
    return [json.dumps(asked.body["messages"]) for asked in server.asked]


@pytest.mark.slow
def test_the_activity_strategy_shows_the_query_and_describes_once_for_each(road: Path) -> None:
    with serving([says("a dog jumps on a road")]) as server:
        activity = settings_for(server, strategy="activity", reasoner="similarity")
        with Grounder(activity) as grounder:
            dog = grounder.find(road, "a dog jumps")
            assert all("a dog jumps" in prompt for prompt in prompts(server))
            assert grounder.find(road, "a dog jumps").usage.captions == 0
            assert len(server.asked) == FRAMES, "the same question is not paid for again"
            grounder.find(road, "a door opens")
            assert len(server.asked) == 2 * FRAMES
            assert all("a door opens" in prompt for prompt in prompts(server)[FRAMES:])
        with Grounder(settings_for(server, reasoner="similarity")) as grounder:
            road_again = grounder.find(road, "a dog jumps")
            assert len(server.asked) == 3 * FRAMES, "general captions are others"
            tracks = [record.track for record in grounder.records()]
    assert len(set(tracks)) == 3
    ids = [one.caption_id for answer in (dog, road_again) for one in answer.intervals[0].evidence]
    assert len(ids) == len(set(ids)), "the two kinds are in no answer together"


def test_the_activity_strategy_has_nothing_to_index_before_a_question(
    road: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving([says("a road")]) as server:
        with pytest.raises(QueryError, match="nothing can be indexed before there is a question"):
            Grounder(settings_for(server, strategy="activity")).watch(road)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("WHENABOUTS_STRATEGY", "activity")
        assert main(["index", str(road), "--captioner", "openai:tiny"]) == 2
        assert "--strategy general" in capsys.readouterr().err
        assert not server.asked


def test_the_activity_strategy_needs_a_model_that_can_be_asked(road: Path) -> None:
    with pytest.raises(SettingsError, match="activity strategy shows the question to an image"):
        Grounder(load_settings(captioner="classical", strategy="activity")).find(road, "a dog")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["grid4", "clip3"])
def test_the_mode_option_says_what_is_shown_at_a_time(
    mode: str, road: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(road), "--captioner", "openai:tiny", "--mode", mode]
    with serving([says("a road")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert main(["index", *asked]) == 0
        assert [len(one.jpegs) for one in server.asked] == {
            "grid4": [1, 1],
            "clip3": [3, 3],
        }[mode]
        assert "2 captions" in capsys.readouterr().out
        main(["ask", *asked, "a road", "--reasoner", "similarity", "--no-refine"])
    assert f"captions: openai:tiny, {mode}, 1/s" in capsys.readouterr().out


def test_a_closer_look_is_paid_by_the_captioner_stage(road: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"in": 1000, "out": 2000}}')
    look = Request("look_closer", {"start_s": 1.0, "end_s": 2.0, "rate_hz": 4.0})
    with serving([says("a road")]) as server:
        settings = settings_for(server, prices=prices, refine=False, verify=False)
        reasoner = ScriptedReasoner(Reply("", (look,)), FOUND)
        with Grounder(settings, reasoner=reasoner) as grounder:
            grounder.watch(road)
            usage = grounder.find(road, "a dog jumps").usage
        assert len(server.asked) == FRAMES + 4
        assert all("a dog jumps" in prompt for prompt in prompts(server)[FRAMES:])
    cost = usage.stages["captioner"]
    assert (cost.captions, cost.tokens_in, cost.tokens_out) == (4, 400, 40)
    assert usage.usd == cost.usd == pytest.approx((400 * 1000 + 40 * 2000) / 1e6)


def test_what_a_model_refuses_to_describe_stands_in_the_answer(road: Path) -> None:
    def script(asked: Asked) -> Answer:
        return refuses("I will not describe this.") if asked.number == 1 else says("a road")

    with serving(script) as server:
        settings = settings_for(server, reasoner="similarity", in_flight=1)
        with Grounder(settings) as grounder:
            coverage = grounder.find(road, "a road").coverage
    assert [gap.reason for gap in coverage.gaps] == ["I will not describe this."]
    assert (coverage.gaps[0].start_s, coverage.gaps[0].end_s) == pytest.approx((1.0, 2.0))


@pytest.mark.slow
def test_threads_that_ask_about_one_new_video_have_it_described_once(road: Path) -> None:
    with serving([says("a road")]) as server:
        with (
            Grounder(settings_for(server, reasoner="similarity")) as grounder,
            ThreadPoolExecutor(4) as threads,
        ):
            queries = ["a road", "a dog", "a door", "a cat"]
            answers = list(threads.map(lambda query: grounder.find(road, query), queries))
        assert len(server.asked) == FRAMES
    assert sorted(answer.usage.captions for answer in answers) == [0, 0, 0, FRAMES]
