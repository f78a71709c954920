"""Drawn videos with labels, and a teacher on the loopback."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from training.drawn_world import make_events, write_video
from training.samples import is_held_out


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn videos, with their annotations in the form of your own labels."""
    folder = tmp_path_factory.mktemp("videos")
    rows = ["video,query,start,end"]
    names = [name for name in (f"v{n}" for n in range(99)) if not is_held_out(name)][:2]
    names.append(next(name for name in (f"v{n}" for n in range(999)) if is_held_out(name)))
    for seed, name in enumerate(names):
        events = make_events(random.Random(seed))
        write_video(folder / f"{name}.mp4", events)
        one = events[1]
        rows.append(f"{name},{one.scene.sentence},{one.start_s},{one.end_s}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Names the service, for this process and those that it starts."""

    def point_at(url: str) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")

    return point_at
