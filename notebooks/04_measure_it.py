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
# # Measure it
#
# Labels of your own are lines of `video, query, start, end`. `whenabouts eval` asks all of them,
# and says how good the answers are, and which stage made each error.

# %%
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

runs = Path(tempfile.mkdtemp())
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
captions = runs / "captions"
captions.mkdir()
(captions / "lobby.jsonl").write_bytes((lobby / "lobby.jsonl").read_bytes())
own = ("eval", "own", "--annotations", lobby / "labels.csv")
whenabouts(*own, "--captions", captions, "--out", runs / "by-eye")

# %% [markdown]
# The last lines trace every miss to the stage that made it: *search* (the right window was not
# among the candidates), *reasoning* (it was, and another one was chosen), *edge* (the right
# place, but not its edges).
#
# ## Compare two runs
# In the second one, frames are described by the classical describer, which cannot tell one person
# from another, and says so.

# %%
whenabouts(*own, "--videos", lobby, "--out", runs / "measured")
whenabouts("eval", "compare", runs / "by-eye", runs / "measured")

# %% [markdown]
# ## The curve of risk
# If only answers of some confidence are believed, how many are wrong? Six questions are far too
# few for a curve; with your own labels, it tells which confidence to ask for.

# %%
results = [json.loads(line) for line in (runs / "by-eye/results.jsonl").read_text().splitlines()]


def iou(answer: list[float], truth: list[float]) -> float:
    """Intersection over union of two intervals."""
    shared = max(0.0, min(answer[1], truth[1]) - max(answer[0], truth[0]))
    return shared / (answer[1] - answer[0] + truth[1] - truth[0] - shared)


HALF = 0.5
answered = sorted((one for one in results if one["intervals"]), key=lambda one: -one["confidence"])
is_wrong = [
    max(iou(one["intervals"][0], truth) for truth in one["truth"]) < HALF for one in answered
]
share = [(n + 1) / len(results) for n in range(len(answered))]
risk = [sum(is_wrong[: n + 1]) / (n + 1) for n in range(len(answered))]
figure = Figure(figsize=(5, 3))
axes = figure.add_subplot(
    xlabel="share of questions answered", ylabel="of these, wrong", ylim=(0, 1)
)
axes.plot(share, risk, marker="o")
figure.savefig(runs / "risk.png")
list(zip(share, risk, strict=True))

# %%
from IPython.display import Image

Image(runs / "risk.png")
