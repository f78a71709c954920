"""Every command that may take more than a second has words for what it is doing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.cli import printing
from agent.cli.main import main
from tests.drawing import draw_video, even_times, gray

pytestmark = pytest.mark.slow


@pytest.fixture
def clip(tmp_path: Path, word_embedder: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")
    path = tmp_path / "flashing.mp4"
    draw_video(path, even_times(24, 4.0), picture=lambda n: gray(0 if 6 <= n < 12 else 30))
    assert main(["index", str(path)]) == 0
    return path


@pytest.fixture
def waited_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a command would have said, had each of its parts taken long."""
    told: list[str] = []

    @contextmanager
    def note(
        what: str,
        tell: Callable[[str], None],  # the signature of what it stands for
        *,
        is_told: Callable[[], bool],  # as above
    ) -> Iterator[None]:
        told.append(what)
        yield

    monkeypatch.setattr(printing, "waiting_for", note)
    return told


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["list"], "reading what is indexed"),
        (["doctor"], "looking at what this machine has"),
        (["repair"], "looking at the caption store in"),
        (["forget", "CLIP"], "deleting what is stored of"),
        (["setup", "--plan"], "looking at this machine, and for model servers on it"),
        (["ask", "CLIP", "the screen goes black"], "looking for “the screen goes black” in"),
        (["ask", "CLIP", "the screen goes black", "--clip", "OUT.mp4"], "cutting 0:01.5–0:03.0"),
        (["ask", "CLIP", "the screen goes black", "--plot", "OUT.png"], "drawing the picture"),
        (["ask", "CLIP", "the screen goes black", "--export", "csv", "OUT.csv"], "writing what"),
        (["index", "CLIP"], "reading"),
        (["index", "--dry-run", "CLIP"], "looking at parts of"),
        (["reel", "the screen goes black", "--in", "CLIP", "--out", "OUT.mp4"], "looking for"),
    ],
    ids=lambda one: " ".join(one[:3]) if isinstance(one, list) else "",
)
def test_each_command_says_what_it_does(
    words: list[str], expected: str, clip: Path, tmp_path: Path, waited_for: list[str]
) -> None:
    places = {"CLIP": str(clip)}
    outs = {word: str(tmp_path / word.lower()) for word in words if word.startswith("OUT.")}
    main([(places | outs).get(word, word) for word in words])
    assert any(one.startswith(expected) for one in waited_for), waited_for


def test_who_is_asked_something_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []

    @contextmanager
    def note(*_: object, is_told: Callable[[], bool]) -> Iterator[None]:
        yield
        told.append(is_told())

    monkeypatch.setattr(printing, "waiting_for", note)
    monkeypatch.setattr(printing.stderr, "input", lambda *_, **__: "y")
    with printing.doing("looking"):
        assert printing.ask_person("Fetch it? [y/N] ") == "y"
    with printing.doing("looking"):
        pass
    assert told == [True, False]
