"""A captioner named in the settings, from the command line to a real server and back."""

import json
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times
from tests.servers import Answer, Asked, says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


def dog_in_the_middle(request: Asked) -> Answer:
    """The drawn frames grow brighter: the server sees a dog in those of middling brightness."""
    brightness = float(request.images[0].mean())
    return says("a brown dog jumps" if 70 < brightness < 170 else "an empty road")


@pytest.mark.slow
def test_an_image_model_on_a_server_describes_the_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    with serving(dog_in_the_middle) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        question = ["ask", str(video), "a brown dog jumps", "--captioner", "openai:tiny"]
        question += ["--json", "--every-frame", "--no-refine"]
        assert main(question) == 0
        answer = json.loads(capsys.readouterr().out)
        assert len(server.asked) == 12
        assert main(question) == 0
        assert len(server.asked) == 12, "what is paid for is never asked again"
    assert answer["models"]["captioner"].startswith("openai:tiny")
    assert answer["models"]["mode"] == "frame@1/s"
    assert answer["models"]["prompts"]["describe"], "of captions it is told how they were made"
    assert answer["intervals"][0]["start_s"] == pytest.approx(4.0, abs=1.01)
    assert answer["usage"]["captions"] == 12
    assert answer["usage"]["tokens_in"] > 0
    assert answer["usage"]["usd"] is None, "no price is known for this model, and none is invented"
    assert "sk-secret" not in json.dumps(answer)


def test_a_local_model_that_is_not_here_is_an_error_with_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(8, 4.0))
    assert main(["ask", str(video), "a dog", "--captioner", f"local:{tmp_path}/none"]) == 2
    assert f"{tmp_path}/none" in capsys.readouterr().err
