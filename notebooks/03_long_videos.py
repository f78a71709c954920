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
# # Long videos
#
# An hour, drawn here: a grey wall, with a minute of black at 40:00 and a sign at 52:00. A picture
# every five seconds is enough to show how indexing, coverage, retrieval and prices work.

# %%
import json
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from agent.api import Grounder, Settings
from agent.notebook import progress_bar

scratch = Path(tempfile.mkdtemp())
hour = scratch / "hour.mp4"
STEP_S, LENGTH_S = 5, 3600


def level(at_s: int) -> int:
    """How bright the wall is."""
    return 0 if 2400 <= at_s < 2460 else 90 + 40 * (at_s // 600 % 2)


with av.open(str(hour), "w") as file:
    stream = file.add_stream("libx264", rate=1)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.time_base = Fraction(1, 1)
    for at_s in range(0, LENGTH_S, STEP_S):
        picture = np.full((48, 64, 3), level(at_s), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = at_s
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))

# %% [markdown]
# ## The price first
# What an image model would cost, before anything is asked of it. `whenabouts index VIDEO
# --dry-run` says the same. The key is made up: nobody is asked.

# %%
paid = Settings(
    home=scratch / "home", captioner="openai:gpt-5-mini", openai_api_key="nobody-is-asked"
)
with Grounder(paid) as grounder:
    estimate = grounder.estimate(hour).estimate
estimate.captions, estimate.tokens_in, estimate.usd

# %% [markdown]
# ## A limit, and what it leaves unseen
# A run may be limited (`max_usd`, `max_minutes`, `max_captions`). The answer says what was not
# looked at.

# %%
limited = Settings(home=scratch / "home", rate_hz=0.2, max_captions=200)
with Grounder(limited) as grounder:
    part = grounder.find(hour, "the screen goes black", on_event=progress_bar())
part.verdict, part.coverage.seen_s, [(gap.start_s, gap.end_s) for gap in part.coverage.gaps]

# %% [markdown]
# Without the limit, the next run goes on where this one stopped.

# %%
with Grounder(Settings(home=scratch / "home", rate_hz=0.2)) as grounder:
    whole = grounder.find(hour, "the screen goes black", on_event=progress_bar())
    picture = grounder.plot(whole)
picture

# %% [markdown]
# ## Retrieval
# Seven hundred captions are more than a text model should read. `retrieve` ranks them all, and
# shows the reasoner those near the likeliest windows.

# %%
captions = scratch / "hour.jsonl"
lines = [
    {"t": at_s, "caption": "a man holds up a red sign" if 3120 <= at_s < 3150 else "a grey wall"}
    for at_s in range(0, LENGTH_S, STEP_S)
]
captions.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
question = {"video": str(hour), "query": "somebody shows a red sign", "captions": str(captions)}
with Grounder(Settings(home=scratch / "home")) as grounder:
    for step in grounder.graph.stream(question, stream_mode="updates"):
        if "retrieve" in step:
            shown = step["retrieve"]["evidence"]
            print(len(shown), "of", len(lines), "captions are shown to the reasoner")
        if "answer" in step:
            (best, *_) = step["answer"]["grounding"]["intervals"]
best["start_s"], best["end_s"]

# %% [markdown]
# ## Look closer
# Between two looks, nobody knows exactly when it happened: an edge is as precise as the captions
# are apart. An image model is shown those seconds again, with the question in mind (`refine`); a
# text model may ask for it too. With a key, that happens by itself.

# %%
best["start_precision_s"], best["start_by"], best["end_by"]
