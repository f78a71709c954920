"""A model of the hub, from the command line: its size is said, and it is fetched if agreed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.tiny_hub import NAME, TinyHub, serve_hub
from tests.tiny_models import save_idefics3

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny_hub(tmp_path: Path) -> Iterator[TinyHub]:
    with serve_hub(save_idefics3(tmp_path / "served")) as hub:
        yield hub


def whenabouts(*arguments: str, hub: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *arguments],
        cwd=ROOT,
        env=environment | {"HF_ENDPOINT": hub, "HF_HOME": str(home / "hf")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_model_is_fetched_when_its_size_was_agreed_to_and_chosen_from_then_on(
    tiny_hub: TinyHub, tmp_path: Path
) -> None:
    video = str(draw_video(tmp_path / "road.mp4", even_times(8, 4.0)))
    named = ("index", video, "--captioner", f"local:{NAME}")
    refused = whenabouts(*named, hub=tiny_hub.url, home=tmp_path)
    assert refused.returncode == 2
    assert "me/tiny is not on this machine, and " in refused.stderr
    assert "kB to fetch from the hub; --yes fetches it; what works without it" in refused.stderr
    assert tiny_hub.fetched == [], "nothing is fetched unasked"

    fetched = whenabouts(*named, "--yes", hub=tiny_hub.url, home=tmp_path)
    assert fetched.returncode == 0, fetched.stderr
    assert "model.safetensors" in tiny_hub.fetched
    assert " by local:me/tiny@" in fetched.stdout

    other = str(draw_video(tmp_path / "other.mp4", even_times(4, 4.0)))
    nowhere = "http://127.0.0.1:9"
    chosen = whenabouts("index", other, hub=nowhere, home=tmp_path)
    assert chosen.returncode == 0, chosen.stderr
    assert "captions by local:me/tiny, which is on this disk" in chosen.stderr
    assert "1 caption by local:me/tiny@" in chosen.stdout
