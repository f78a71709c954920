"""Whether what is there is found by sight, and what is not there is not, on drawn videos.

    python -m tests.sight_presence [--seeds 0 1 2 3 4 5]

Trains a tiny joint model for each seed (half a minute), and asks drawn videos for things
that they show, for things that they do not show, and for what is never drawn: beside many other
videos, beside one, and of a video that is alone. The JSON that is printed has the shares that are
found.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.tiny_joint import NOTHING, Thing, draw, random_thing, save_tiny_joint
from tools.grounding.other_frames import OtherFrames
from tools.retrieval.retrieval import rank
from tools.retrieval.sight_evidence import SightEvidence
from tools.retrieval.sight_scale import SightScale
from tools.sight.frame_track import as_caption, sight_track
from tools.sight.joint_model import OnnxJointModel
from tools.sight.words import SightWords
from tools.terminal import put_json
from tools.timeline import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIDEOS, ABSENT_EACH = 10, 8
FOREIGN = ("a dog", "someone opens the fridge")

Shown = list[tuple[Thing, int]]
Asked = dict[str, list[bool]]


def main() -> None:
    """Print the shares, by seed and how many other videos there are."""
    parser = argparse.ArgumentParser(description="Presence by sight on drawn videos")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    told = {}
    for seed in parser.parse_args().seeds:
        with tempfile.TemporaryDirectory() as scratch:
            model = OnnxJointModel(
                save_tiny_joint(Path(scratch) / "tiny", seed=seed, well=True), threads=1
            )
            told[f"seed {seed}"] = {
                beside: {kind: round(float(np.mean(found)), 3) for kind, found in asked.items()}
                for beside, asked in found_of(model, seed=100 + seed).items()
            }
    put_json(json.dumps(told, indent=2))


def found_of(model: OnnxJointModel, *, seed: int) -> dict[str, Asked]:
    """Whether each thing asked for was found, by what other videos there are.

    The kinds are ``present``, ``absent`` (any drawn thing that is not in the video), ``one word
    off`` (those of them that differ in one word from what is), and ``foreign``.
    """
    rng = np.random.default_rng(seed)
    videos = [_video(model, rng) for _ in range(VIDEOS)]
    words, scale = SightWords(model), SightScale.measure(model)
    told: dict[str, Asked] = {}
    for place, (shown, own) in enumerate(videos):
        questions = _questions(shown, rng)
        rest = [looks for _, looks in videos if looks is not own]
        for beside, others in {
            "many": np.concatenate(rest)[::4],
            "one": np.concatenate([videos[place - 1][1], own])[::3],
            "none": own,
        }.items():
            sight = SightEvidence(words, OtherFrames(others, scale.texts, scale.match))
            for kind, query in questions:
                asked = told.setdefault(beside, defaultdict(list))
                asked[kind].append(_is_found(query, own, sight))
    return told


def _video(model: OnnxJointModel, rng: np.random.Generator) -> tuple[Shown, NDArray[np.float32]]:
    """What is shown, and for how many seconds; and the vector of each second."""
    scenes = int(rng.integers(3, 9))
    shown = [
        (random_thing(rng) if rng.random() > 0.3 else NOTHING, int(rng.integers(2, 14)))
        for _ in range(scenes)
    ]
    frames = [draw(thing, rng) for thing, length_s in shown for _ in range(length_s)]
    return shown, model.embed_pictures(frames)


def _questions(shown: Shown, rng: np.random.Generator) -> list[tuple[str, str]]:
    there = sorted({thing for thing, _ in shown if thing.colour}, key=str)
    questions = [("present", str(thing)) for thing in there]
    for thing in (random_thing(rng) for _ in range(ABSENT_EACH)):
        if thing.colour and thing not in there:
            questions.append(("absent", str(thing)))
            if any(len(thing.words() - one.words()) == 1 for one in there):
                questions.append(("one word off", str(thing)))
    return [*questions, *(("foreign", query) for query in FOREIGN)]


def _is_found(query: str, own: NDArray[np.float32], sight: SightEvidence) -> bool:
    track = sight_track(sight.words.name, "frame@1/s")
    frames = [as_caption("v", Interval(float(at), at + 1.0), track) for at in range(len(own))]
    ranking = rank(
        query, frames, own, embedder=sight.words, duration_s=float(len(own)), sight=sight
    )
    return ranking.verdict == "found"


if __name__ == "__main__":
    main()
