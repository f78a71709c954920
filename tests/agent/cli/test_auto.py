"""Who describes and who decides where nobody is named, and what is told of it."""

import json
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.errors import SettingsError
from agent.settings import load_settings
from agent.watching.choice import choose_captioner, choose_reasoner
from tests.drawing import draw_video, even_times
from tests.servers import says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(24, 4.0))


@pytest.mark.slow
def test_with_nothing_configured_the_classical_describer_works_and_says_so_once(road: Path) -> None:
    said: list[str] = []
    with Grounder(tell=said.append) as grounder:
        grounder.find(road, "the screen goes black")
        assert len(said) == 1
        assert "classical describer" in said[0]
        grounder.find(road, "the screen goes white")
        assert len(said) == 1, "nothing is described a second time"


def test_a_key_alone_means_openais_own_model_and_nobody_is_asked_to_find_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-key")
    for choice in (choose_captioner(load_settings()), choose_reasoner(load_settings())):
        assert choice.name == "openai:gpt-5-mini"
        assert "OPENAI_API_KEY is set" in choice.why
        assert "sk-secret" not in choice.why


def test_a_server_with_one_model_describes_and_decides(
    road: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    decides = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'
    with serving(
        lambda asked: says("a road" if asked.jpegs else decides), models=["tiny"]
    ) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert main(["ask", str(road), "a road", "--json", "--no-refine", "--no-verify"]) == 0
        shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert answer["models"]["captioner"] == "openai:tiny"
    assert (answer["models"]["reasoner"], answer["by"]) == ("openai:tiny", "llm")
    told = [line for line in shown.err.splitlines() if "OPENAI_BASE_URL is set" in line]
    assert len(told) == 2
    host = server.url.split("/")[2]
    assert f"frames go to {host}" in shown.err
    stages = answer["usage"]["stages"]
    assert stages["captioner"]["captions"] == len(server.asked) - 1 == 6
    assert stages["captioner"]["tokens_in"] == 600
    assert stages["reasoner"]["tokens_in"] == 100
    assert answer["usage"]["tokens_in"] == 700


def test_a_server_of_several_models_wants_one_named_and_says_which_there_are(
    road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([says("a road")], models=["small", "large"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(SettingsError, match="it serves large, small; name one"):
            Grounder().find(road, "a road")
        assert choose_reasoner(load_settings()).name == "similarity"
        assert not server.asked


def test_a_server_that_does_not_run_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([says("a road")]) as server:
        gone = server.url
    monkeypatch.setenv("OPENAI_BASE_URL", gone)
    with pytest.raises(SettingsError, match=f"no answer from {gone} .*; check that"):
        choose_captioner(load_settings())


def test_a_server_without_a_list_of_models_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([says("a road")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(SettingsError, match="answers 404 when asked for its models"):
            choose_captioner(load_settings())


@pytest.mark.slow
def test_captions_that_an_image_model_made_answer_also_without_it(
    road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([says("a road")]) as server:
        paid = load_settings(captioner="openai:tiny", OPENAI_BASE_URL=server.url)
        with Grounder(paid) as grounder:
            grounder.watch(road)
    with Grounder() as grounder:
        assert grounder.find(road, "a road").models.captioner == "openai:tiny"
    with Grounder(load_settings(captioner="classical")) as grounder:
        assert grounder.find(road, "a road").models.captioner != "openai:tiny"
