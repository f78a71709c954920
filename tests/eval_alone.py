"""``whenabouts eval`` in a process of its own, with words for vectors; it can kill itself.

    python -m tests.eval_alone KILL_AT ARGUMENTS…

Answer number ``KILL_AT`` of this process is written by half; then it gets SIGKILL. 0 lets it live.
"""

import os
import signal
import sys
from pathlib import Path

from agent.cli.main import main
from agent.watching import opened
from evaluation.results import Result
from evaluation.runs.run_folder import RESULTS, RunFolder
from tests.fakes import WordEmbedder


def kill_at(number: int) -> None:
    """Have this process killed while it writes its so-manieth answer."""
    add = RunFolder.add
    written = 0

    def add_and_maybe_die(folder: RunFolder, result: Result) -> None:
        nonlocal written
        written += 1
        if written == number:
            with Path(folder.path / RESULTS).open("a", encoding="utf-8") as file:
                file.write(result.as_line()[:200])
            os.kill(os.getpid(), signal.SIGKILL)
        add(folder, result)

    setattr(RunFolder, "add", add_and_maybe_die)  # noqa: B010 - mypy would not have it else


if __name__ == "__main__":
    setattr(opened, "open_embedder", lambda *_, **__: WordEmbedder())  # noqa: B010 - ditto
    kill_at(int(sys.argv[1]))
    raise SystemExit(main(sys.argv[2:]))
