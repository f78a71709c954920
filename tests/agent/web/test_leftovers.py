"""What the page keeps about a video is found without the page."""

import json
from pathlib import Path

from agent.web.leftovers import JOBS, correction_count, forget_jobs


def test_jobs_of_a_video_leave_the_list_and_others_stay(tmp_path: Path) -> None:
    jobs = [{"id": "1", "path": "/v/a.mp4"}, {"id": "2", "path": "/v/b.mp4"}]
    (tmp_path / JOBS).write_text(json.dumps(jobs))
    forget_jobs(tmp_path, Path("/v/a.mp4"))
    assert json.loads((tmp_path / JOBS).read_text()) == jobs[1:]
    assert (tmp_path / JOBS).stat().st_mode & 0o077 == 0


def test_a_list_of_jobs_that_cannot_be_read_stays(tmp_path: Path) -> None:
    forget_jobs(tmp_path, Path("a"))
    (tmp_path / JOBS).write_text("[1]")
    forget_jobs(tmp_path, Path("a"))
    assert (tmp_path / JOBS).read_text() == "[1]"


def test_corrections_are_counted_by_the_name_of_their_video(tmp_path: Path) -> None:
    rows = ['{"video": "/v/a.mp4"}', '{"video": "sub/a.mp4"}', '{"video": "b.mp4"}', "cut of"]
    file = tmp_path / "corrections.jsonl"
    file.write_text("\n".join(rows))
    assert correction_count(file, "a.mp4") == 2
