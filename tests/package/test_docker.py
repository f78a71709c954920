"""The Dockerfile, as far as it can be held to something without Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def words(first: str) -> list[str]:
    """The words of the instruction in exec form that begins with this one."""
    (found,) = re.findall(rf'^ *[A-Z]+ (\["{first}".*\])$', DOCKERFILE, re.MULTILINE)
    told: list[str] = json.loads(found)
    return told


def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint") or shutil.which("hadolint", path=Path(sys.executable).parent)
    if linter is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run(
        [linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_let_in_and_is_all_that_the_wheel_is_made_of() -> None:
    copied = set()
    for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        copied |= set(words.split()[:-1])
    let_in = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert copied >= set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_both_images_name_extras_that_there_are() -> None:
    named = re.findall(r"\.whl\)\[([\w,]+)\]", DOCKERFILE)
    assert len(named) == 2
    for extras in named:
        assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])


@pytest.mark.slow
def test_its_command_serves_and_its_health_check_sees_that(tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra web")
    assert words("whenabouts") == ["whenabouts"]
    serve = [str(tmp_path) if word == "/videos" else word for word in words("serve")]
    serve[serve.index("8765")] = "0"
    environment = os.environ | {"WHENABOUTS_TOKEN": "a secret", "WHENABOUTS_HOME": str(tmp_path)}
    server = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", *serve],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        told = ""
        while not (port := re.search(r"http://[^:]+:(\d+)/", told)) and server.poll() is None:
            told += server.stdout.readline()
        assert port, told
        _, *check = words("python")
        command = [sys.executable, *(word.replace("8765", port[1]) for word in check)]

        def code(token: str) -> int:
            with_token = environment | {"WHENABOUTS_TOKEN": token}
            done = subprocess.run(command, env=with_token, capture_output=True, check=False)
            return done.returncode

        # As Docker does: it asks again until the server is up.
        until = time.monotonic() + PATIENCE_S
        while code("a secret") != 0:
            assert server.poll() is None
            assert time.monotonic() < until
        assert code("another") != 0
    finally:
        server.terminate()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
