"""The command line replaces no file unasked, forgets what it says it forgets, and pays once."""

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.api import Grounder, load_settings
from agent.cli.main import main
from agent.graph.threads import open_threads
from tests.drawing import draw_video, even_times
from tests.servers import Answer, Asked, says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "film.mp4", even_times(12, 4.0))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "film.jsonl"
    path.write_text('{"t": 0, "caption": "a zebra waits"}\n{"t": 1, "caption": "a cat sleeps"}\n')
    return path


def clip(film: Path, captions: Path, out: Path, *more: str) -> int:
    return main(
        ["ask", str(film), "a cat sleeps", "--captions", str(captions), "--clip", str(out), *more]
    )


def test_a_clip_replaces_a_file_only_where_that_was_said(
    film: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("mine")
    assert clip(film, captions, out) == 2
    assert "is there already; give another name" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert clip(film, captions, out, "--overwrite") == 0
    assert out.stat().st_size > 1000


def test_an_export_never_replaces_what_we_keep_ourselves(
    film: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Grounder() as grounder:
        grounder.watch(film, captions=captions)
        database = grounder.settings.store_folder / "chroma.sqlite3"
    before = database.read_bytes()[:100]
    asked = ["ask", str(film), "a cat sleeps", "--captions", str(captions)]
    assert main([*asked, "--export", "json", str(database), "--overwrite"]) == 2
    assert "which whenabouts keeps for itself" in capsys.readouterr().err
    assert database.read_bytes()[:100] == before


@pytest.mark.parametrize("option", ["--clip", "--plot"])
def test_no_output_replaces_what_we_keep_ourselves(
    option: str, film: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = load_settings().home / ("uploaded.mp4" if option == "--clip" else "kept.png")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("kept")
    asked = ["ask", str(film), "a cat sleeps", "--captions", str(captions)]
    assert main([*asked, option, str(kept), "--overwrite"]) == 2
    assert f"{option} writes to" in capsys.readouterr().err
    assert kept.read_text() == "kept"


def test_two_outputs_never_share_a_file(
    film: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, asked = str(tmp_path / "out.png"), ["ask", str(film), "a cat", "--captions", str(captions)]
    assert main([*asked, "--plot", out, "--export", "csv", out]) == 2
    assert "--plot and --export name the same file" in capsys.readouterr().err
    assert main([*asked, "--trace", out, "--export", "csv", out]) == 2
    assert "--export writes to" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_picture_does_not_replace_a_link_that_leads_nowhere(
    film: Path, captions: Path, tmp_path: Path
) -> None:
    link = tmp_path / "out.png"
    link.symlink_to("nowhere.png")
    asked = ["ask", str(film), "a cat sleeps", "--captions", str(captions)]
    assert main([*asked, "--plot", str(link)]) == 2
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["itself", "another", "copy", "link", "gone"])
def test_a_clip_never_replaces_a_video_that_is_asked_or_indexed(
    film: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    other = draw_video(tmp_path / "other.mp4", even_times(12, 3.0))
    with Grounder() as grounder:
        grounder.watch(other, captions=captions)
    copy, link = tmp_path / "copy.mp4", tmp_path / "link.mp4"
    copy.write_bytes(other.read_bytes())
    link.symlink_to(other)
    out = {"itself": film, "another": other, "copy": copy, "link": link, "gone": other}[name]
    if name == "gone":
        other.unlink()
    before = {one: one.read_bytes() for one in (film, copy)}
    assert clip(film, captions, out, "--overwrite") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert ("is the video that is asked" if name == "itself" else "is an indexed video") in said
    assert {one: one.read_bytes() for one in before} == before
    assert link.is_symlink()


@pytest.mark.slow
def test_forget_says_what_else_holds_text_and_deletes_it_when_told_to(
    film: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = draw_video(tmp_path / "other.mp4", even_times(12, 3.0))
    main(["ask", str(film), "a zebra", "--captions", str(captions), "--thread", "stripes"])
    main(["ask", str(other), "black", "--captioner", "classical", "--thread", "dark"])
    home = tmp_path / "home"
    with Grounder(load_settings(store=home / "benchmarks")) as measured:
        measured.watch(film, captions=captions)
    assert main(["forget", str(film)]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "still hold captions of it: stripes; to delete these too: whenabouts forget --threads"
        in said
    )
    assert "`whenabouts eval` made captions of it too" in said
    assert main(["forget", "--threads", str(film)]) == 0
    said = capsys.readouterr().err
    assert "deleted threads and chats about it: stripes" in said
    assert "that `whenabouts eval` made: 2" in said
    readable = [
        one.name for one in home.rglob("*") if one.is_file() and b"zebra" in one.read_bytes()
    ]
    assert readable == []
    with open_threads(home / "threads.sqlite") as saver:
        assert saver.get_tuple({"configurable": {"thread_id": "dark"}}) is not None


@pytest.mark.slow
def test_a_journal_of_a_killed_index_is_forgotten_too(film: Path, tmp_path: Path) -> None:
    with Grounder() as grounder:
        record = grounder.watch(film)
        journal = tmp_path / "home" / "journals" / f"{record.video_id}-0123.jsonl"
        journal.parent.mkdir(exist_ok=True)
        journal.write_text('{"time_s": 0.0, "text": "a zebra", "source": "vision"}\n')
        grounder.forget(film)
    assert not journal.exists()


@pytest.mark.slow
def test_all_files_of_a_home_are_their_users_alone(
    film: Path, captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr("sys.stdin", io.StringIO("a zebra\n"))
    asked = ["ask", str(film), "a zebra", "--captions", str(captions), "--thread", "stripes"]
    main([*asked, "--trace", str(home / "trace.jsonl")])
    main(["chat", str(film), "--captions", str(captions), "--thread", "talk"])
    open_to_others = [
        f"{stat.S_IMODE(one.stat().st_mode):o} {one.relative_to(tmp_path)}"
        for one in (home, *home.rglob("*"))
        if one.stat().st_mode & 0o077
    ]
    assert open_to_others == []


@pytest.mark.slow
def test_two_processes_that_index_one_video_at_once_pay_once(film: Path, tmp_path: Path) -> None:
    def slow(asked: Asked) -> Answer:
        return says(f"picture {asked.number}")

    long = draw_video(tmp_path / "long.mp4", even_times(40, 1.0))
    with serving(slow) as server:
        command = [sys.executable, "-m", "agent.cli", "index", str(long), "--json"]
        command += ["--captioner", "openai:tiny", "--every-frame"]
        environment = {**os.environ, "OPENAI_BASE_URL": server.url, "PYTHONPATH": str(ROOT)}
        both = [
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        ends = [one.communicate() for one in both]
        assert [one.returncode for one in both] == [0, 0], ends
        assert len(server.asked) == 40
    records = [json.loads(out)[0] for out, _ in ends]
    assert [(one["complete"], one["captions"]) for one in records] == [(True, 40)] * 2
