"""What a fast command, and a plain import, really do: run in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT, module_name, source_files
from tests.package.test_imports import HEAVY
from tests.patience import PATIENCE_S


def run_python(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(cwd), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def imported_packages(importtime: str) -> set[str]:
    """The top-level names in what ``python -X importtime`` wrote to stderr."""
    lines = (line for line in importtime.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["doctor", "--help"]])
def test_help_imports_no_heavy_module(arguments: list[str], tmp_path: Path) -> None:
    done = run_python("-X", "importtime", "-m", "agent.cli", *arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: whenabouts")
    imported = imported_packages(done.stderr)
    assert "argparse" in imported
    assert imported & HEAVY == set()


RUN = """
import sys
from agent.cli.main import main
code = main(sys.argv[1:])
print(*sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""

USUAL = {"numpy", "pydantic", "pydantic_settings", "rich"}
"""Settings and tables need these, or the store."""

EMBEDDER = {"onnxruntime", "tokenizers"}

GRAPH = {"langgraph", "langchain_core", "langsmith", "httpx", "requests", "opentelemetry"}
"""LangGraph, and what it brings."""

# Which heavy packages each command loads, on a home with a video that was asked before.
LOADED = {
    ("list",): USUAL,
    ("forget", "0123456789ab"): USUAL,
    ("forget", "{clip}"): {*USUAL, "av"},
    ("schema",): USUAL - {"numpy"},
    ("doctor",): {*USUAL, *EMBEDDER},
}


@pytest.fixture(scope="module")
def asked_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a clip that was asked, and another clip beside it that was not."""
    home = tmp_path_factory.mktemp("asked")
    for name, frames in (("asked", 4), ("new", 6)):
        draw_video(home / f"{name}.mp4", even_times(frames, 2.0))
    captions = home / "captions.jsonl"
    captions.write_text('{"start_s": 0, "end_s": 2, "caption": "a brown dog jumps"}')
    asked = ["ask", str(home / "asked.mp4"), "a dog jumps", "--captions", str(captions)]
    assert run_command(asked, home).returncode in {0, 1}
    return home


def run_command(arguments: Sequence[str], home: Path) -> subprocess.CompletedProcess[str]:
    return run_python("-c", RUN, *arguments, cwd=home, WHENABOUTS_HOME=str(home))


@pytest.mark.slow
@pytest.mark.parametrize("arguments", LOADED, ids=" ".join)
def test_a_command_loads_only_what_it_uses(arguments: tuple[str, ...], asked_home: Path) -> None:
    clip = asked_home / "new.mp4"
    done = run_command([one.format(clip=clip) for one in arguments], asked_home)
    assert set(done.stderr.splitlines()[-1].split()) & HEAVY == LOADED[arguments]


@pytest.mark.slow
def test_a_question_about_a_video_that_was_asked_loads_no_vector_engine(asked_home: Path) -> None:
    asked = ["ask", str(asked_home / "asked.mp4"), "a dog jumps", "--reasoner", "similarity"]
    first, then = (run_command(asked, asked_home) for _ in range(2))
    loaded = set(then.stderr.splitlines()[-1].split()) & HEAVY
    assert loaded == {*USUAL, *EMBEDDER, *GRAPH, "av"}
    assert then.stdout.splitlines()[0] == first.stdout.splitlines()[0]


@pytest.mark.slow
def test_importing_every_module_prints_nothing_and_writes_nothing(tmp_path: Path) -> None:
    modules = sorted(
        module_name(path)
        for folder in ("agent", "tools", "prompts")
        for path in source_files(folder)
    )
    assert "agent.cli.main" in modules
    done = run_python("-c", f"import {', '.join(modules)}", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout == ""
    assert done.returncode == 0
    assert list(tmp_path.rglob("*")) == []
