"""What the page keeps about a video beside its captions; the page itself need not run."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePath

JOBS = "jobs.json"


def answers_about(folder: Path, video_ids: Collection[str]) -> list[Path]:
    """Files of answers that name a video by one of these ids."""
    files = (folder / "answers").glob("*.json")
    return [one for one in files if any(name in _text(one) for name in video_ids)]


def forget_jobs(folder: Path, video: Path) -> None:
    """Take the jobs that described a video off the list; a page that runs writes its own again."""
    file = folder / JOBS
    with suppress(OSError, ValueError, TypeError, AttributeError):
        jobs = json.loads(_text(file))
        others = [job for job in jobs if job.get("path") != str(video)]
        if len(others) < len(jobs):
            part = file.with_suffix(".part")
            part.touch(mode=0o600)
            part.write_text(json.dumps(others, indent=1), encoding="utf-8")
            part.replace(file)


def correction_count(file: Path, name: str) -> int:
    """How many rows of corrections are about a video of that name."""
    count = 0
    for line in _text(file).splitlines():
        with suppress(ValueError, TypeError, KeyError):
            count += PurePath(json.loads(line)["video"]).name == name
    return count


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
