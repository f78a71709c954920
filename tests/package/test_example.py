"""The example that comes with the source does what the README shows."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from agent.cli.main import main
from tools.embedders.minilm import packaged_weights
from tools.errors import EmbedderError

ROOT = Path(__file__).parents[2]
LOBBY = ROOT / "examples" / "lobby"


@pytest.mark.slow
def test_the_first_command_of_the_readme_shows_what_stands_below_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        packaged_weights()
    except EmbedderError as exc:
        pytest.skip(str(exc))
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("```console\n")[1]
    folder, command, *answer = shown.split("```")[0].splitlines()
    assert folder.startswith("$ cd ")
    monkeypatch.chdir(ROOT / folder.removeprefix("$ cd "))
    monkeypatch.setenv("COLUMNS", "88")
    assert main(shlex.split(command.removeprefix("$ whenabouts "))) == 0
    printed = capsys.readouterr().out.splitlines()

    def words(lines: list[str]) -> str:
        # How lines are broken depends on the terminal, and how long it took on the machine.
        return re.sub(r"in [\d.]+ s$", "in N s", " ".join(" ".join(lines).split()))

    assert words(printed) == words(answer)


def test_the_picture_below_it_tells_the_same_answer() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = readme.split("```console\n")[1].split("```")[0].splitlines()
    (told,) = (line for line in said if "  confidence " in line)
    (query,) = re.findall(r"^found  (“.*”)", "\n".join(said), re.MULTILINE)
    with Image.open(ROOT / "docs" / "lobby.png") as picture:
        drawn = picture.info["Description"]
    assert drawn == f"{query}  found  {told.split('  (')[0].strip()}", "draw it anew with --plot"


def test_the_video_is_small_and_carries_its_licence() -> None:
    files = {path.name: path.stat().st_size for path in LOBBY.iterdir()}
    assert sum(files.values()) < 2_000_000
    licence = (LOBBY / "LICENSE").read_text(encoding="utf-8")
    assert "Creative Commons Attribution 4.0 International Public License" in licence
    about = (LOBBY / "README.md").read_text(encoding="utf-8")
    assert "https://github.com/intel-iot-devkit/sample-videos" in about
    assert "was changed" in about
