"""Command lines with a slip are told in one line, with what was nearly right."""

from pathlib import Path

import pytest

from agent.cli.main import main


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    try:
        code: object = main(argv)
    except SystemExit as left:
        code = left.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (["aks"], "ask"),
        (["list", "--jsn"], "--json"),
        (["ask", "a.mp4", "x", "--reasner", "similarity"], "--reasoner"),
        (["ask", "a.mp4", "x", "--reasner=similarity"], "--reasoner"),
        (["ask", "a.mp4", "x", "--strategy", "genral"], "general"),
        (["eval", "onw"], "own"),
        (["tune", "dat"], "data"),
    ],
)
def test_what_was_nearly_right_is_named(
    argv: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"did you mean {meant}?" in complaint(capsys, *argv)


def test_nothing_is_guessed_where_nothing_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "list", "--zzzzzz")
    assert "unrecognized arguments: --zzzzzz" in said
    assert "did you mean" not in said


def test_what_is_missing_is_told_in_a_line_with_where_help_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = complaint(capsys, "ask", "a.mp4", "x", "--export", "edl")
    assert "--export" in said
    assert "whenabouts ask --help" in said


def test_a_query_without_quotes_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert '"… dog runs"' in complaint(capsys, "ask", "a", "dog", "runs")


def test_a_query_before_the_video_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    video = tmp_path / "road.mp4"
    video.touch()
    assert f'ask {video} "a dog"' in complaint(capsys, "ask", "a dog", str(video))


def test_an_address_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "300.1.1.1 is no IP address" in complaint(capsys, "serve", "--address", "300.1.1.1")
