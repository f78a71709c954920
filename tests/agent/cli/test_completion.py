"""What a shell that asks is told: words that can stand where the cursor is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("argcomplete")
pytestmark = pytest.mark.slow

SEPARATOR = "\v"


def completed(line: str, tmp_path: Path) -> set[str]:
    """The words that the command gives the shell on descriptor 8."""
    environment = os.environ | {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "IFS": SEPARATOR,
        "WHENABOUTS_HOME": str(tmp_path),
    }
    command = f'"{sys.executable}" -m agent.cli 8>"{tmp_path}/told" 9>/dev/null'
    subprocess.run(["bash", "-c", command], env=environment, check=True, timeout=None)
    told = (tmp_path / "told").read_text("utf-8")
    return {word.strip() for word in told.split(SEPARATOR) if word.strip()}


def test_the_commands_and_options_of_eval_and_tune_are_offered(tmp_path: Path) -> None:
    assert {"own", "qvhighlights", "report"} <= completed("whenabouts eval ", tmp_path)
    assert completed("whenabouts eval own --v", tmp_path) == {"--videos"}
    assert completed("whenabouts tune tr", tmp_path) == {"train"}


def test_after_two_dashes_no_option_is_offered(tmp_path: Path) -> None:
    assert completed("whenabouts ask --al", tmp_path) == {"--all"}
    assert completed("whenabouts ask -- --al", tmp_path) == set()
    assert completed("whenabouts eval own -- --v", tmp_path) == set()
