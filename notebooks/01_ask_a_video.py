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
# # Ask a video when
#
# Needs no key, no GPU and no download. The video is
# [examples/lobby](../examples/lobby/README.md): six people come to a table, one after another.
# Somebody wrote down what is seen every two seconds.

# %%
from pathlib import Path

from agent.api import Grounder, Settings
from agent.notebook import progress_bar

lobby = Path("../examples/lobby")
grounder = Grounder()

# %% [markdown]
# An answer shows itself: verdict, interval on a filmstrip, and the captions that prove each edge.

# %%
answer = grounder.find(
    lobby / "lobby.mp4",
    "a blonde with very long hair comes to the table",
    captions=lobby / "lobby.jsonl",
    on_event=progress_bar(),
)
answer

# %% [markdown]
# The same as a picture, with how well each caption fits and the windows that came next.

# %%
grounder.plot(answer)

# %% [markdown]
# Everything in it is data: seconds, confidence, precision of each edge, evidence.

# %%
best = answer.intervals[0]
best.start_s, best.end_s, best.confidence, [one.text for one in best.evidence]

# %% [markdown]
# What is not there is not found. That is an answer too.

# %%
grounder.find(lobby / "lobby.mp4", "a dog runs into the sea", captions=lobby / "lobby.jsonl")

# %% [markdown]
# Without captions of your own, the classical describer says what can be measured in frames. It
# sees that something enters, but not what it is.

# %%
with Grounder(Settings(captioner="classical")) as measuring:
    entered = measuring.find(lobby / "lobby.mp4", "something enters", on_event=progress_bar())
entered

# %% [markdown]
# **With a key.** Set `OPENAI_API_KEY`, or `OPENAI_BASE_URL` for a server of your own (Ollama, LM
# Studio, llama.cpp, vLLM), before the first cell: then an image model describes the frames, and a
# text model decides. Nothing else changes.
#
# A notebook's event loop is running all the time. `find` does not mind, and `afind` waits in it:

# %%
again = await grounder.afind(  # a notebook may wait at the top
    lobby / "lobby.mp4", "a man in a polo shirt", captions=lobby / "lobby.jsonl"
)
again.verdict, [(one.start_s, one.end_s) for one in again.intervals]

# %%
grounder.close()
