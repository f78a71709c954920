"""Names, questions and captions with line breaks cannot pass for lines of ours."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times
from tools.text import for_a_shell

NAME = "v\nINJECTED\x1b[31m\u202e='1'"


def rows_of(capfd: pytest.CaptureFixture[str]) -> list[str]:
    said = capfd.readouterr()
    assert not {"\x1b", "\u202e"} & set(said.out + said.err)
    return [line.strip() for line in (said.out + said.err).splitlines()]


@pytest.mark.slow
def test_a_name_is_in_one_row_wherever_it_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    video = draw_video(tmp_path / f"{NAME}.mp4", even_times(12, 4.0))
    video.with_suffix(".en.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nsomebody sings\n")
    captions = tmp_path / f"{NAME}.captions"
    rows = [{"t": second, "caption": f"a road, {second}{NAME}"} for second in range(4)]
    captions.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    monkeypatch.setenv("WHENABOUTS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        "sys.stdin", io.StringIO(f"somebody sings\n/videos\n/trace\n/video {NAME}\n/quit\n")
    )
    for command in (
        ["index", str(video)],
        ["list"],
        ["ask", str(video), f"somebody sings{NAME}"],
        ["ask", str(video), f"a dog{NAME}"],
        ["ask", str(video), f"a road{NAME}", "--captions", str(captions)],
        ["chat", str(video), "--thread", NAME],
        ["forget", str(video)],
    ):
        main(command)
        printed = rows_of(capfd)
        assert printed
        assert not [row for row in printed if row.startswith("INJECTED")], command


@pytest.mark.parametrize("word", ["a b", "it's", NAME, "a\\b\tc\r", "\udce9", "é\u2028ü"])
def test_a_command_that_is_shown_names_the_same_file_in_one_row(word: str) -> None:
    shown = for_a_shell(word)
    assert shown.isprintable()
    said = subprocess.run(["bash", "-c", f"printf %s {shown}"], capture_output=True, check=True)
    assert said.stdout == word.encode("utf-8", "surrogateescape")
