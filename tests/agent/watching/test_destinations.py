"""Hosts are named before anything goes to them, and nothing goes on to another one."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.api import Grounder
from agent.errors import WhenaboutsError
from agent.settings import load_settings
from agent.watching.destinations import Destinations, host_of
from tests.drawing import draw_video, even_times
from tests.servers import Answer, Asked, says, serving
from tests.tiers import first_fast


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(24, 8.0))


def test_a_host_is_named_before_it_is_sent_a_frame_or_a_caption(
    road: Path, word_embedder: None
) -> None:
    said: list[str] = []
    named_before: list[bool] = []

    def model(asked: Asked) -> Answer:
        what = "frames go to 127.0.0.1" if asked.images else "the question and captions go to 127"
        named_before.append(any(line.startswith(what) for line in said))
        return says("a door opens")

    with serving(model) as server:
        settings = load_settings(
            captioner="openai:tiny", reasoner="openai:tiny", OPENAI_BASE_URL=server.url
        )
        with Grounder(settings, tell=said.append) as grounder:
            grounder.find(road, "a door opens")
            grounder.find(road, "a door opens again")
    assert named_before
    assert all(named_before)
    assert len([line for line in said if line.startswith("frames go to")]) == 1


def test_what_stays_here_names_no_host() -> None:
    said: list[str] = []
    settings = load_settings()
    to = Destinations(settings, said.append)
    to.frames("classical@2")
    to.frames("local:smolvlm")
    to.reasoning("similarity")
    to.embedding("minilm")
    to.store()
    to.listing()
    assert said == []


def test_every_kind_of_destination_is_named_without_its_password() -> None:
    said: list[str] = []
    settings = load_settings(
        chroma_url="http://me:hidden@chroma.example:8000",
        OPENAI_BASE_URL="https://me:hidden@api.example/v1?key=hidden",
    )
    to = Destinations(settings, said.append)
    to.frames("openai:tiny")
    to.reasoning("frames:openai:tiny")
    to.reasoning("anthropic:claude", address="https://me:hidden@claude.example:8443/v1")
    to.reasoning("unknown:model")
    to.embedding("openai:small")
    to.store()
    to.traces("http://me:hidden@collector.example:4318/v1/traces")
    to.listing()
    assert said == [
        "frames go to api.example",
        "the question and frames go to api.example",
        "the question and captions go to claude.example:8443",
        "the question and captions go to unknown",
        "captions and questions are embedded by api.example",
        "captions are kept by chroma.example:8000",
        "traces go to collector.example:4318",
        "the list of models is asked of api.example",
    ]
    assert host_of("http://u:hid/den@host:port/") == "http://…@host:port/"


@pytest.mark.slow
def test_the_host_of_another_provider_is_named_before_it_is_asked(
    road: Path, tmp_path: Path, word_embedder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    captions = tmp_path / "captions.jsonl"
    captions.write_text('{"start_s": 0, "end_s": 2, "caption": "a door opens"}')
    said: list[str] = []
    named_before: list[str] = []

    def model(asked: Asked) -> Answer:
        named_before.extend(said)
        return says('{"steps": [], "found": true, "events": [{"first": 1, "last": 1}]}')

    with serving(model) as server:
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-real-key")
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url)
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
        settings = load_settings(reasoner="azure_openai:gpt-5")
        with Grounder(settings, tell=said.append) as grounder:
            grounder.find(road, "a door opens", captions=captions)
            reasoner: Any = grounder.reasoner
        host = server.url.removeprefix("http://").removesuffix("/v1")
        reasoner._llm.root_client.close()  # connections that nothing else closes
    assert f"the question and captions go to {host}" in named_before


@pytest.mark.parametrize("status", first_fast(307, 301, 302, 308))
@pytest.mark.parametrize("who", ["captioner", "reasoner"])
def test_a_redirect_carries_nothing_to_another_host(
    status: int, who: str, road: Path, word_embedder: None
) -> None:
    with serving([says("stolen")]) as thief:
        elsewhere = Answer(status=status, headers={"Location": f"{thief.url}/chat/completions"})
        with serving([elsewhere]) as server:
            names = {"captioner": "classical", "reasoner": "similarity", who: "openai:tiny"}
            settings = load_settings(
                **names,
                OPENAI_BASE_URL=server.url,
                OPENAI_API_KEY="sk-a-real-key",
                read_text=False,
            )
            with Grounder(settings) as grounder, suppress(WhenaboutsError):
                grounder.find(road, "the screen goes black")
            assert server.asked
    assert thief.asked == []
