"""Commands in processes of their own that need not import anything: forks of one that has.

Starting Python and importing what a command needs takes more than a CPU-second, a hundred times in
these tests. A fork has the environment, folder, streams and limits that it is given; what the
interpreter or a package reads from the environment as it starts, it has read already. Where that
is the point, start a process.
"""

import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.package.source_imports import ROOT

READ_BEFORE = "agent.api agent.cli.commands langchain_openai langgraph.checkpoint.sqlite".split()
"""No library that has threads of its own, which no fork of it would have."""

LIMITS = {"-f": resource.RLIMIT_FSIZE, "-n": resource.RLIMIT_NOFILE}


class WarmCommand:
    """``whenabouts``, in a fork of a process that has imported what it needs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(
        self,
        *argv: str,
        cwd: Path,
        env: Mapping[str, str],
        stdout: str = "",
        limits: Sequence[tuple[str, int]] = (),
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command to its end.

        Args:
            argv: After ``whenabouts``.
            cwd: The working folder.
            env: All of its environment.
            stdout: A file to write to in place of what is returned.
            limits: Names as ``ulimit`` has them, each with its value.
        """
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as streams:
            files = {"stdout": stdout or f"{streams}/stdout", "stderr": f"{streams}/stderr"}
            asked = {"argv": argv, "cwd": str(cwd), "env": dict(env), "limits": limits, **files}
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            out = b"" if stdout else Path(files["stdout"]).read_bytes()
            return subprocess.CompletedProcess(argv, code, out, Path(files["stderr"]).read_bytes())


@contextmanager
def warm_command() -> Iterator[WarmCommand]:
    """Import everything once, and fork for each command until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield WarmCommand(process)
        assert process.stdin
        process.stdin.close()


def serve() -> dict[str, Any] | None:
    """Fork for each line; in the fork, what it is to do. None in the end."""
    for name in READ_BEFORE:
        __import__(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            asked: dict[str, Any] = json.loads(line)
            return asked
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return None


def become(asked: dict[str, Any]) -> None:
    """Take on folder, environment, streams and limits, as a new process would have them."""
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (file, how) in enumerate(
        [(os.devnull, os.O_RDONLY), (asked["stdout"], flags), (asked["stderr"], flags)]
    ):
        opened = os.open(file, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # until it ends
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
    for name, value in asked["limits"]:
        resource.setrlimit(LIMITS[name], (value, value))
    sys.argv = ["whenabouts", *asked["argv"]]
    runpy.run_module("agent.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__" and (told := serve()):
    become(told)
