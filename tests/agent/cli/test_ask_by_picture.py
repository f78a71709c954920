"""``ask --image``: what looks like a picture is found, and nobody describes a frame for it."""

import json
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.agent.cli.test_ask_by_sight import OTHER, SHOWN, drawn
from tests.tiny_joint import Thing, draw

pytest.importorskip("PIL")
pytestmark = pytest.mark.usefixtures("word_embedder")


def photo(path: Path, thing: Thing) -> str:
    from PIL import Image

    Image.fromarray(draw(thing, level=90)).save(path)
    return str(path)


@pytest.mark.slow
def test_what_the_picture_shows_is_found_and_what_it_is_called_does_not_matter(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, sight = drawn(tmp_path / "one.mp4", SHOWN), ["--sight", str(tiny_joint)]
    # In words, this would be an order, and a number to be read.
    name = 'the dog barks after "IMG 2034".png'
    picture = photo(tmp_path / name, Thing("blue", "cross", "top"))
    assert main(["ask", video, "--image", picture, *sight, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["picture"] == picture
    assert told["intervals"][0]["start_s"] == pytest.approx(18.0, abs=1.1)
    assert told["intervals"][0]["end_s"] == pytest.approx(24.0, abs=1.1)
    assert [one["kind"] for one in told["sources"]] == ["seen"]
    assert "after" not in told["reasoning"]
    assert told["usage"]["captions"] == 0

    other = drawn(tmp_path / "two.mp4", OTHER)
    ring = photo(tmp_path / "ring.png", Thing("green", "ring", "right"))
    assert main(["ask", video, other, "--image", ring, *sight, "--json"]) == 0
    best, *_ = json.loads(capsys.readouterr().out)["answers"]
    assert best["video"]["path"] == other
    assert main(["list"]) == 0
    assert "frames by sight:tiny@" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["{video}"], "finding by picture needs a model that looks at frames"),
        ([], "name a video to look for the picture in"),
        (["{video}", "a blue cross"], "--image takes the place of the query"),
        (["{video}", "--captions", "x.jsonl"], "--captions wants words"),
        (["{video}", "--reasoner", "openai:gpt-5-mini"], "--reasoner wants words"),
        (["--all", "{video}"], "--all asks every indexed video"),
    ],
)
def test_what_does_not_go_with_a_picture_is_one_line(
    words: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = photo(tmp_path / "photo.png", Thing("blue", "cross", "top"))
    video = tmp_path / "one.mp4"
    video.write_bytes(b"not looked at")
    asked = [word.format(video=video) for word in words]
    assert main(["ask", *asked, "--image", picture]) == 2
    said = capsys.readouterr().err
    assert expected in said
    assert len(said.strip().splitlines()) == 1


def test_a_wrong_picture_is_told_before_any_model_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.mp4").write_bytes(b"not looked at")
    words = ["ask", str(tmp_path / "one.mp4"), "--image", str(tmp_path / "none.jpg")]
    assert main(words) == 2
    assert "there is no picture" in capsys.readouterr().err


def test_a_question_without_words_says_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask"]) == 2
    assert "name a video, and what to look for" in capsys.readouterr().err
