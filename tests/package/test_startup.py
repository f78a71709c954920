"""What a fast command, and a plain import, really do: run in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.package.source_imports import ROOT, module_name, source_files
from tests.package.test_imports import HEAVY
from tests.patience import PATIENCE_S


def run_python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(cwd), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
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
