"""The command line, run in this process; only the embedder is a fake."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from agent import api
from agent.cli import printing
from agent.cli.main import main
from agent.grounding import Grounding
from tests.drawing import draw_video, even_times
from tests.tiers import first_fast
from tools.terminal import open_console
from tools.video.reader import probe

LINES = [
    '{"start_s": 0, "end_s": 1, "caption": "an empty road"}',
    '{"start_s": 1, "end_s": 2, "caption": "an empty road"}',
    '{"start_s": 2, "end_s": 3, "caption": "a brown dog jumps over a fence"}',
    '{"start_s": 3, "end_s": 4, "caption": "a brown dog jumps high"}',
    '{"start_s": 4, "end_s": 5, "caption": "an empty road"}',
    '{"start_s": 5, "end_s": 6, "caption": "an empty road"}',
]


@pytest.fixture(autouse=True)
def _quick(word_embedder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 8.0))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "road.jsonl"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


def test_a_found_answer_shows_interval_bar_and_evidence(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["ask", str(road), "a brown dog jumps", "--captions", str(captions)])
    printed = capsys.readouterr()
    assert code == 0
    assert "0:02.0–0:04.0" in printed.out
    assert "··████" in printed.out
    for role, text in (("before", "an empty road"), ("start", "over a fence"), ("end", "high")):
        assert any(role in line and text in line for line in printed.out.splitlines())
    assert "indexing" in printed.err


def test_json_is_one_object_of_the_published_schema_and_alone_on_stdout(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ask", str(road), "a brown dog jumps", "--captions", str(captions), "--json"])
    printed = capsys.readouterr().out
    answer = json.loads(printed)
    assert answer["schema"] == 1
    assert Grounding.model_validate(answer).intervals[0].start_s == 2.0
    assert sorted(answer) == sorted(schema(capsys)["properties"])


def schema(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["schema"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert isinstance(described, dict)
    return described


def test_a_question_beyond_the_senses_exits_1_with_the_lines_that_would_help(
    road: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(road), "a dog barks"]) == 1
    printed = capsys.readouterr().out
    assert "cannot tell" in printed
    assert "--captioner openai:MODEL" in " ".join(printed.split())


def test_a_clip_of_the_answer_is_cut(road: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "dog.mp4"
    code = main(
        ["ask", str(road), "a brown dog jumps", "--captions", str(captions), "--clip", str(out)]
    )
    assert code == 0
    assert probe(out).header_duration_s == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("within", "code", "told"),
    [
        ("0:01-0:05", 0, "0:02.0–0:04.0"),
        ("0-2", 1, "not found"),
        ("4 s-6 s", 1, "not found"),
        ("5-1", 2, "5 to 1 s is not a stretch of a video: it has to begin"),
        ("0:10-0:20", 2, "nothing is left to search from 10 s on: the video is 6.0 s long"),
        ("later", 2, "--within later: there is no - in it; write it like 1:00-1:30"),
        ("now-then", 2, "'now' is no time"),
    ],
)
def test_a_stretch_is_searched_alone(
    within: str,
    code: int,
    told: str,
    *,
    road: Path,
    captions: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["ask", str(road), "a brown dog jumps", "--captions", str(captions)]
    assert main([*words, "--within", within]) == code
    printed = capsys.readouterr()
    assert told in (printed.err if code == 2 else printed.out)


def test_asking_again_indexes_nothing(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ask", str(road), "a dog", "--captions", str(captions)])
    capsys.readouterr()
    main(["ask", str(road), "a dog"])
    assert "indexing" not in capsys.readouterr().err


@pytest.mark.slow
def test_list_and_forget_know_the_video_by_path_and_by_id(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["index", str(road), "--captions", str(captions)])
    capsys.readouterr()
    assert main(["list", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["captions"], record["state"]) == (6, "ready")
    road.unlink()
    main(["list"])
    assert "file gone" in capsys.readouterr().out
    assert main(["ask", record["video_id"][:8], "a brown dog jumps"]) == 0
    assert "gone; this answer is from its captions" in unwrapped(capsys)
    assert main(["forget", record["video_id"]]) == 0
    assert "6 captions forgotten" in capsys.readouterr().out
    assert main(["forget", record["video_id"]]) == 2
    assert "no indexed video with that path or id" in capsys.readouterr().err
    main(["list"])
    assert "nothing is indexed yet" in capsys.readouterr().err


@pytest.mark.slow
def test_forgetting_a_file_names_the_video_that_lay_there_before(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["index", str(road), "--captions", str(captions)])
    draw_video(road, even_times(24, 8.0))
    capsys.readouterr()
    assert main(["forget", str(road)]) == 0
    told = capsys.readouterr()
    assert "nothing of it was indexed" in told.out
    before = re.search(r"video that was at this path before .* whenabouts forget (\w+)", told.err)
    assert before
    assert main(["forget", before[1]]) == 0
    assert "6 captions forgotten" in capsys.readouterr().out


@pytest.mark.slow
def test_captions_that_stand_beside_are_told_of(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cues = "1\n00:00:01,000 --> 00:00:02,500\nThe ferry leaves at noon\n"
    road.with_suffix(".srt").write_text(cues)
    assert main(["index", str(road), "--captions", str(captions)]) == 0
    indexed = unwrapped(capsys)
    assert "6 captions by file" in indexed
    assert "1 caption by subtitles road.srt, 0:06.0 long" in indexed
    assert main(["ask", str(road), "the ferry leaves at noon"]) == 0
    assert "said: The ferry leaves at noon" in unwrapped(capsys)


def test_a_file_whose_name_is_like_an_option_is_named_with_its_folder(
    road: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    road.rename("-x.mp4")
    with pytest.raises(SystemExit):
        main(["ask", "-x.mp4", "a dog"])
    assert "if you mean the file, write ./-x.mp4" in capsys.readouterr().err


def unwrapped(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, without the ends of lines that a narrow terminal makes."""
    printed = capsys.readouterr()
    return " ".join(f"{printed.out} {printed.err}".split())


def test_one_bad_video_does_not_stop_the_others(
    road: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.mp4"
    assert main(["index", str(missing), str(road)]) == 2
    printed = capsys.readouterr()
    assert str(missing) in printed.err
    assert "6 captions" in printed.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["ask", "missing.mp4", "x"], "there is no file missing.mp4"),
        (["ask", "{road}", " "], "the query is empty"),
        (["ask", "{road}", "a dog " * 400], "the query has 2,400 characters"),
        (
            ["ask", "{road}", "x", "--captions", "no.jsonl"],
            "cannot read the captions file no.jsonl",
        ),
        (["ask", "{road}", "x", "--rate", "-1"], "--rate is -1.0"),
        (["ask", "{road}", "x", "--mode", "grid99"], "a grid cannot have 99 frames"),
        (["index", "{road}", "--max-usd", "0"], "--max-usd is 0.0"),
        (["ask", "{road}", "x", "--captioner", "magic"], "no captioner 'magic'"),
        (["ask", "{road}", "x", "--clip", "out.gif"], "ends in .mp4 or .mkv"),
        (["forget", "{folder}"], "is a directory"),
        (["index", "a.mp4", "b.mp4", "--captions", "c.jsonl"], "describes one video"),
        (["forget", "unknown"], "there is no file unknown"),
    ],
)
def test_bad_input_is_one_line_with_the_value_and_exit_code_2(
    arguments: list[str],
    complaint: str,
    road: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [one.format(road=road, folder=tmp_path) for one in arguments]
    assert main(filled) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.err.startswith("whenabouts: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_an_interruption_is_one_line_and_exit_code_130(
    road: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api.Grounder, "find", interrupt)
    assert main(["ask", str(road), "a dog", "--anyway"]) == 130
    assert "what was indexed so far is kept" in capsys.readouterr().err


def test_doctor_names_places_and_parts_and_never_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert main(["doctor", "--all"]) == 0
    printed = capsys.readouterr().out
    assert "sk-very" not in printed
    assert re.search(r"openai_api_key +set", printed)
    assert printed.startswith("ready: a video can be asked here\n")
    assert str(Path(api.__file__).parent) in printed.replace("\n", "")


def test_doctor_is_not_ready_where_a_joint_model_is_named_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHENABOUTS_SIGHT", "/nowhere/model")
    assert main(["doctor"]) == 2
    told = capsys.readouterr().out
    assert "not ready: a video cannot be asked here" in told
    assert "/nowhere/model is not on this disk" in told


def test_doctor_says_no_where_the_store_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WHENABOUTS_STORE", str(tmp_path / "file"))
    assert main(["doctor", "--json"]) == 2
    findings = json.loads(capsys.readouterr().out)
    (store,) = [part for part in findings["parts"] if part["does"] == "store"]
    assert not store["usable"]
    assert store["enable"]
    assert main(["doctor"]) == 2
    verdict, why, what_to_do = capsys.readouterr().out.splitlines()[:3]
    assert verdict == "not ready: a video cannot be asked here"
    assert "store embedded: " in why
    assert what_to_do == f"  to do: {store['enable']}"


def test_the_query_may_stand_behind_options(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(road), "--captions", str(captions), "a brown dog jumps"]) == 0
    assert "found  “a brown dog jumps”" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["ask", str(road), "--caption-file", str(captions), "a brown dog jumps"])
    assert "unrecognized arguments: --caption-file" in capsys.readouterr().err


@pytest.mark.parametrize("columns", first_fast(40, 57, 80, 200))
def test_what_is_printed_fits_the_terminal(
    columns: int,
    road: Path,
    captions: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = open_console(force_terminal=True, width=columns, color_system=None)
    monkeypatch.setattr(printing, "stdout", terminal)
    asked = ["ask", str(road), "--captions", str(captions)]
    for argv in (
        [*asked, "a brown dog jumps over a fence and then another one does the same again"],
        [*asked, "a submarine dives below the ice of the northern sea"],
        ["ask", str(road), "a dog barks", "--captioner", "classical"],
        ["list"],
        ["doctor"],
        ["doctor", "--all"],
    ):
        main(argv)
        printed = capsys.readouterr().out
        copied = [line for line in printed.splitlines() if line.startswith("  to do: ")]
        lines = [line for line in printed.splitlines() if line not in copied]
        assert max(map(cell_len, lines)) <= columns, argv
        if printed.startswith("found"):
            assert "█" in printed


def test_quiet_leaves_the_answer_and_what_went_wrong(
    road: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["ask", str(road), "a brown dog jumps", "--captions", str(captions)]
    assert main([*asked, "--quiet"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("found")
    assert printed.err == ""
    assert main(["index", "missing.mp4", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("whenabouts: there is no file missing.mp4")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "whenabouts" in capsys.readouterr().out


def test_a_query_that_begins_like_an_option_stands_behind_two_dashes(
    road: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(road), "--captions", str(captions)]
    for words in (
        ["ask", *asked, "--", "-brown dog jumps"],
        ["ask", "--captions", str(captions), "--", str(road), "-brown dog jumps"],
    ):
        assert main(words) == 0
        assert "found  “-brown dog jumps”" in capsys.readouterr().out
    for words in (["ask", *asked, "-brown"], ["ask", *asked, "--nonsense", "--", "-brown"]):
        with pytest.raises(SystemExit):
            main(words)
        assert "unrecognized arguments: -" in capsys.readouterr().err
