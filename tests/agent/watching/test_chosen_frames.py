"""``--strategy sight-first`` says at once what it does not go with."""

from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--captioner", "classical"], "looks at all of them"),
        (["--captioner", "openai:tiny", "--every-frame"], "--every-frame has all frames described"),
        (["--captioner", "openai:tiny", "--mode", "grid4"], "use --mode frame"),
        (["--captioner", "openai:tiny"], "needs a model that looks at frames"),
    ],
)
def test_what_it_does_not_go_with_is_one_line(
    words: list[str],
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    video: Any = draw_video(tmp_path / "short.mp4", even_times(8, 4.0))
    assert main(["index", str(video), "--strategy", "sight-first", *words]) == 2
    said = capsys.readouterr().err
    assert expected in said.replace("+ocr", "")
    assert "Traceback" not in said
