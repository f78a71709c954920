"""Two grounders in one process, with prompts, captioners and homes of their own."""

from pathlib import Path
from typing import Any

import pytest

from agent.api import Grounder
from agent.settings import load_settings
from prompts.catalog import PACKAGED
from tests.drawing import draw_video, even_times
from tests.servers import Answer, Asked, Server, says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")

FOUND = '{"steps": [], "found": true, "events": [{"first": 1, "last": 2}]}'
PROMPTS = ("describe_general", "reason_system")


def answer(asked: Asked) -> Answer:
    return says("a road" if asked.jpegs else FOUND)


def words_to(server: Server) -> set[str]:
    """The first words of every request: the prompt of an image, or the rules of a reply."""
    texts = set()
    for asked in server.asked:
        content = asked.body["messages"][0]["content"]
        texts.add(content if isinstance(content, str) else content[0]["text"])
    return {text.partition(".")[0] for text in texts}


def test_asked_in_turn_neither_is_told_or_reports_what_is_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 8.0))
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in PROMPTS:
        text = PACKAGED._text(name)
        (mine / f"{name}.md").write_text(f"Of {name}, mine. {text}")
    with serving(answer) as plain_server, serving(answer) as own_server:
        common: dict[str, Any] = {"reasoner": "openai:tiny", "captioner": "openai:tiny"}
        common |= {"refine": False, "verify": False}
        plain_settings = load_settings(**common, home=tmp_path / "plain").model_copy(
            update={"openai_base_url": plain_server.url}
        )
        own_settings = load_settings(
            **common, home=tmp_path / "own", prompts=mine, mode="clip4"
        ).model_copy(update={"openai_base_url": own_server.url})
        with Grounder(plain_settings) as plain, Grounder(own_settings) as own:
            answers = [
                (grounder, grounder.find(video, query))
                for query in ("a road", "a dog")
                for grounder in (plain, own)
            ]
            homes = {(plain, tmp_path / "plain"), (own, tmp_path / "own")}
            tracks = {
                grounder: {record.track for record in grounder.records()}
                for grounder in (plain, own)
            }
    assert words_to(own_server) == {f"Of {name}, mine" for name in PROMPTS}
    assert words_to(plain_server) == {PACKAGED._text(name).partition(".")[0] for name in PROMPTS}
    versions = {plain: PACKAGED, own: own.prompts}
    for grounder, answered in answers:
        told = answered.models.prompts
        assert told["describe"] == versions[grounder].version("describe_general")
        assert told["reason_system"] == versions[grounder].version("reason_system")
        assert told["reason"] == PACKAGED.version("reason")
    assert own.prompts.version("reason_system") != PACKAGED.version("reason_system")
    assert all((home / "store").is_dir() for _, home in homes)
    assert not tracks[plain] & tracks[own]
    assert {track.mode.partition("@")[0] for track in tracks[own]} == {"clip4"}


@pytest.mark.slow
def test_the_limits_of_one_are_not_those_of_the_other(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 8.0))
    narrow = load_settings(home=tmp_path / "one", captioner="classical", max_captions=1)
    wide = load_settings(home=tmp_path / "other", captioner="classical")
    with Grounder(narrow) as one, Grounder(wide) as other, one.within_limits():
        assert other.watch(video).complete
        assert not one.watch(video).complete
