"""A folder of videos and a service that is down: it is asked once, and said once."""

import json
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times
from tests.servers import fails, serving


@pytest.fixture(autouse=True)
def _quick(word_embedder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")
    monkeypatch.setenv("WHENABOUTS_IN_FLIGHT", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for count in (8, 12, 16, 20):
        draw_video(tmp_path / f"{count:02}.mp4", even_times(count, 2.0))
    return tmp_path


@pytest.mark.slow
def test_a_service_that_is_down_is_asked_for_the_first_video_and_named_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving([fails(401, "bad key")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert main(["index", str(folder), "--captioner", "openai:m"]) == 2
        assert len(server.asked) == 1
    told = capsys.readouterr().err
    assert told.count("set OPENAI_API_KEY to one that may use m") == 1
    assert "20.mp4 are not indexed for the same reason (openai:m:" in told


@pytest.mark.slow
def test_a_list_is_answered_from_the_videos_that_need_no_captions_any_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = folder / "captions.jsonl"
    captions.write_text('{"start_s": 0, "end_s": 2, "caption": "a brown dog jumps"}')
    known = folder / "20.mp4"
    query = ["a brown dog jumps", "--json", "--reasoner", "similarity"]
    with serving([fails(401, "bad key")], models=["m"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        asked = [str(folder / name) for name in ("08.mp4", "12.mp4", "20.mp4")]
        assert main(["index", str(known), "--captions", str(captions)]) == 0
        assert main(["ask", *asked, *query, "--captioner", "openai:m"]) == 2, "none can be used"
        capsys.readouterr()
        assert main(["ask", *asked, *query]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [Path(one["video"]["path"]).name for one in found["answers"]] == ["20.mp4"]
    left_out = {Path(one["path"]).name: one["reason"] for one in found["left_out"]}
    assert set(left_out) == {"08.mp4", "12.mp4"}
    assert "OPENAI_API_KEY" in left_out["12.mp4"]
