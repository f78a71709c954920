# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Trace a run
#
# A trace says what each step did, how long it took, what it cost, and why replies were refused.
# It is written to a file: nothing leaves the machine.

# %%
import os
import subprocess
import sys
import tempfile
from pathlib import Path

scratch = Path(tempfile.mkdtemp())
os.environ["WHENABOUTS_HOME"] = str(scratch / "home")
lobby = Path("../examples/lobby").resolve()


def whenabouts(*words: object) -> None:
    """The command, as in a terminal."""
    command = [sys.executable, "-m", "agent.cli", *map(str, words)]
    plain = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "110"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    if done.returncode > 1:  # 1 is "not found"
        raise RuntimeError(done.stderr)
    print(done.stdout)


# %%
asked = ("ask", lobby / "lobby.mp4", "a man in a polo shirt", "--captions", lobby / "lobby.jsonl")
whenabouts(*asked, "--trace", scratch / "run.jsonl", "--thread", "polo")
whenabouts("trace", scratch / "run.jsonl")

# %% [markdown]
# The trace of an answer that was refused twice lies beside the docs; `--prompts` prints the exact
# prompts and replies. [Reading a trace](../docs/reading-a-trace.md) goes through it.

# %%
whenabouts("trace", Path("../docs/refused-answer.trace.jsonl").resolve())

# %% [markdown]
# ## LangSmith and OpenTelemetry
# The same spans go to LangSmith if `LANGSMITH_TRACING=true` and `LANGSMITH_API_KEY` are set, and
# to an OpenTelemetry collector if `OTEL_EXPORTER_OTLP_ENDPOINT` is. Frames and keys are taken out
# before. Without these variables, nothing is sent:

# %%
[name for name in os.environ if name.startswith(("LANGSMITH_", "OTEL_"))]

# %% [markdown]
# ## Again, from one step, with another prompt
# `--thread` kept every step, so the question can be answered again from `reason`. A folder with
# prompts of your own replaces ours, file by file. They are for a text model, so here only the
# LLM-free grounder answers again; with a key, add `--reasoner openai:gpt-5-mini`.

# %%
mine = scratch / "prompts"
mine.mkdir()
(mine / "refused.md").write_text(
    "That cannot be right: $reason (There are #1 to #$last.)\n", encoding="utf-8"
)
whenabouts("replay", "polo", "--from", "reason", "--prompts", mine)
