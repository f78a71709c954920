"""A changed video is never answered from captions of before, and an old index still answers."""

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.settings import load_settings
from agent.watching.moved_files import state_of
from tests.drawing import draw_video, even_times
from tools.store.store import VideoRecord
from tools.video.identity import content_id, sampled_id

pytestmark = pytest.mark.usefixtures("word_embedder")

SAMPLE_BYTES = 256 << 10
PADDING = random.Random(0).randbytes(33 << 20)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A short video in a long file: what follows its end is no part of what is shown."""
    path = draw_video(tmp_path / "film.mp4", even_times(12, 4.0))
    with path.open("ab") as file:
        file.write(PADDING)
    return path


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "film.jsonl"
    path.write_text('{"t": 0.0, "caption": "a dog"}\n{"t": 1.0, "caption": "a cat"}\n')
    return path


def ask(film: Path, captions: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    main(["ask", str(film), "a cat", "--captions", str(captions), "--json"])
    out, err = capsys.readouterr()
    return json.loads(out), err


def edit(film: Path) -> None:
    """Between two samples, and with the date of before."""
    status = film.stat()
    with film.open("r+b") as file:
        file.seek(31 * (status.st_size - SAMPLE_BYTES) // 63 + SAMPLE_BYTES + 50_000)
        file.write(bytes(1000))
    os.utime(film, ns=(status.st_atime_ns, status.st_mtime_ns))


def age(film: Path, indexed_at: datetime) -> None:
    """Date its content to before the index; moving it leaves that date as it is."""
    before_s = indexed_at.timestamp() - 60
    os.utime(film, (before_s, before_s))


def as_an_earlier_version_left_it(film: Path, captions: Path, *, indexed_at: datetime) -> str:
    """The store with the video under its samples, and nothing known of the whole."""
    settings = load_settings(captioner="classical")
    with Grounder(settings) as grounder:
        record = grounder.watch(film, captions=captions)
        found, vectors = grounder.store.read(record.video_id, record.track)
        grounder.forget(film)
        older = sampled_id(film)
        grounder.store.add([replace(one, video_id=older) for one in found], vectors)
        when = indexed_at.isoformat(timespec="seconds")
        plain = record.as_dict() | {"video_id": older, "indexed_at": when}
        for unknown in ("content_id", "file_stamp", "run"):
            plain.pop(unknown, None)
        grounder.store.put_record(VideoRecord.from_dict(plain))
    return older


@pytest.mark.slow
def test_an_index_of_an_earlier_version_answers_and_is_known_whole_from_then_on(
    film: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = datetime.now(UTC) + timedelta(seconds=5)
    older = as_an_earlier_version_left_it(film, captions, indexed_at=later)
    capsys.readouterr()
    answer, _ = ask(film, captions, capsys)
    assert answer["video"]["id"] == older
    assert answer["usage"]["captions"] == 0, "nothing is described again"
    with Grounder() as grounder:
        (record,) = grounder.records()
    assert record.content_id == content_id(film)
    film.rename(film.with_name("moved.mp4"))
    moved, _ = ask(film.with_name("moved.mp4"), captions, capsys)
    assert (moved["video"]["id"], moved["usage"]["captions"]) == (older, 0)


@pytest.mark.slow
def test_a_moved_file_is_recognised_as_what_an_earlier_version_indexed(
    film: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed_at = datetime.now(UTC) - timedelta(hours=1)
    older = as_an_earlier_version_left_it(film, captions, indexed_at=indexed_at)
    age(film, indexed_at)
    moved = film.rename(film.with_name("moved.mp4"))
    with Grounder() as grounder:
        assert [state_of(one) for one in grounder.records()] == [f"moved to {moved}"]
    capsys.readouterr()
    answer, _ = ask(moved, captions, capsys)
    assert (answer["video"]["id"], answer["usage"]["captions"]) == (older, 0)
    assert "recognised by size, date and samples" in answer["warning"]
    with Grounder() as grounder:
        (record,) = grounder.records()
    assert (record.content_id, record.path) == (content_id(moved), str(moved))


def edited(film: Path) -> Path:
    edit(film)
    os.utime(film)
    return film.rename(film.with_name("moved.mp4"))


def copied(film: Path) -> Path:
    """With the date of the original, which stays where it was."""
    return Path(shutil.copy2(film, film.with_name("moved.mp4")))


@pytest.mark.slow
@pytest.mark.parametrize("change", [edited, copied])
def test_what_only_looks_like_an_earlier_index_in_another_place_is_another_video(
    change: Callable[[Path], Path],
    film: Path,
    captions: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    indexed_at = datetime.now(UTC) - timedelta(hours=1)
    older = as_an_earlier_version_left_it(film, captions, indexed_at=indexed_at)
    age(film, indexed_at)
    moved = change(film)
    assert sampled_id(moved) == older
    answer, _ = ask(moved, captions, capsys)
    assert answer["video"]["id"] == content_id(moved) != older


@pytest.mark.slow
def test_a_changed_file_is_not_answered_from_an_index_of_an_earlier_version(
    film: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=1)
    older = as_an_earlier_version_left_it(film, captions, indexed_at=earlier)
    edit(film)
    assert sampled_id(film) == older
    capsys.readouterr()
    answer, said = ask(film, captions, capsys)
    assert answer["video"]["id"] == content_id(film) != older
    assert f"can still be asked as {older[:12]}" in " ".join(said.split())


@pytest.mark.slow
def test_a_file_edited_in_place_is_another_video(
    film: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, _ = ask(film, captions, capsys)
    edit(film)
    after, _ = ask(film, captions, capsys)
    assert after["video"]["id"] != before["video"]["id"]
    by_id, _ = ask(Path(before["video"]["id"]), captions, capsys)
    assert "is another video now" in by_id["warning"]


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_described_is_not_kept(film: Path) -> None:
    settings = load_settings(captioner="classical", rate_hz=4)
    changed = False

    def change(_: object) -> None:
        nonlocal changed
        if not changed:
            edit(film)
            changed = True

    with Grounder(settings) as grounder:
        with pytest.raises(Exception, match="was changed while it was described"):
            grounder.watch(film, report=change)
        assert [one for one in grounder.records() if one.complete] == []
