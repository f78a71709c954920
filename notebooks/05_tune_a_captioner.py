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
# # Tune a captioner
#
# `whenabouts tune` teaches a small image model with descriptions that a stronger one wrote. Here
# all of it runs in seconds, on a tiny model and on videos that are drawn, with the annotators'
# sentences in the teacher's place: it shows which steps there are and what each leaves behind. The
# model is far too small to learn much; `python -m training.tiny_run` takes minutes, and shows that
# it learns. It needs the extra `train`.
#
# With a key, the teacher is `--teacher openai:gpt-5` or any model behind `OPENAI_BASE_URL`;
# `--dry-run` tells the price, and `--max-usd` ends the run.

# %%
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from IPython.display import Image

from training.drawn_lessons import draw_videos, write_prompts
from training.tiny_model import make_base

work = Path(tempfile.mkdtemp())
plain = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "110"}


def whenabouts(*words: object) -> None:
    """The command, as in a terminal."""
    command = [sys.executable, "-m", "agent.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    if done.returncode > 1:  # 1 is "not found"
        raise RuntimeError(done.stderr)
    print(done.stdout)


# %% [markdown]
# ## Videos with labels
# In a real run: `--dataset charades-sta --annotations charades_sta_train.txt --videos …`. A label
# is a sentence and the times between which it holds.

# %%
draw_videos(work / "seen", "seen", 8, seed=1)
draw_videos(work / "unseen", "unseen", 1, seed=2)
prompts = write_prompts(work / "prompts")  # short ones, for a model with few words
plain["WHENABOUTS_PROMPTS"] = str(work / "prompts")
print((work / "seen" / "labels.csv").read_text()[:200])

# %% [markdown]
# ## What must not be trained on, and the data
# The list of a benchmark's videos holds digests of their names. Frames are taken inside of events
# and outside of them, so that absence is taught too. A tenth of the videos is held out.

# %%
labels = ("--dataset", "own", "--annotations", work / "seen" / "labels.csv")
benchmark = ("--dataset", "own", "--annotations", work / "unseen" / "labels.csv")
whenabouts("tune", "exclude", *benchmark, "--out", work / "benchmark.list")
whenabouts(
    *("tune", "data", *labels, "--videos", work / "seen", "--teacher", "human"),
    *("--exclude", work / "benchmark.list", "--out", work / "data"),
)
manifest = json.loads((work / "data" / "manifest.json").read_text())
{name: manifest[name] for name in ("teacher", "strategy", "conversations", "dropped", "usd")}

# %% [markdown]
# ## Look at it before you train

# %%
whenabouts("tune", "inspect", "--data", work / "data", "--out", work / "sheet.png", "--count", 8)
Image(work / "sheet.png", width=900)

# %% [markdown]
# ## Train
# The base is made here and barely trained, which takes seconds. A real one is a folder or a name on
# the hub, such as `HuggingFaceTB/SmolVLM2-500M-Video-Instruct`. Killed and started again, the same
# command goes on from its last checkpoint, with the same losses.

# %%
make_base(work / "base", prompts, steps=10, batch=8, report=lambda *_: None)
trained_on = ("--model", work / "base", "--data", work / "data")
whenabouts("tune", "train", *trained_on, "--out", work / "tuned")
Image(work / "tuned" / "loss.png", width=500)

# %% [markdown]
# ## Ask with the adapter, or merge it
# `--captioner local:BASE --adapter DIR`; or `tune merge` makes one checkpoint of both.

# %%
whenabouts("tune", "merge", "--adapter", work / "tuned" / "adapter", "--out", work / "merged")

# %% [markdown]
# ## Is it better than its base?
# The same questions of both, with paired intervals. This model has seen next to nothing, so the
# figures mean nothing either.

# %%
whenabouts(
    *("eval", "experiment", "tuning", "--dataset", "own", "--out", work / "compared"),
    *("--annotations", work / "unseen" / "labels.csv", "--videos", work / "unseen"),
    *("--captioner", f"local:{work / 'base'}", "--adapter", work / "tuned" / "adapter"),
    *("--reasoner", "similarity", "--set", "*.rate_hz=0.2", "--limit", "1"),
)
