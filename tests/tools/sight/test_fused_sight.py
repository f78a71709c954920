"""Captions that are often wrong, and frames, of the same drawn videos: what both are worth."""

from pathlib import Path

import numpy as np
import pytest

from tests.tiny_joint import COLOURS, SHAPES, Thing, draw, random_thing
from tools.embedders.embedder import open_embedder
from tools.grounding.other_frames import OtherFrames
from tools.ranking import Ranking
from tools.retrieval.fusion import Voice, fuse
from tools.retrieval.retrieval import rank
from tools.retrieval.sight_evidence import SightEvidence
from tools.retrieval.sight_scale import SightScale
from tools.sight.frame_track import as_caption, sight_track
from tools.sight.joint_model import OnnxJointModel
from tools.sight.words import SightWords
from tools.timeline import Caption, Interval, Track

pytestmark = pytest.mark.slow

VIDEOS, SCENES = 12, 9
DESCRIBED = Track("openai:eyes", "", "frame@1/s")
WRONG = 0.3


def mistaken(thing: Thing, rng: np.random.Generator) -> str:
    """What a captioner says of it that is wrong about one thing in three."""
    if thing.colour and rng.random() < WRONG:
        if rng.random() < 0.3:
            return "an empty grey picture"
        colour, shape = str(rng.choice(list(COLOURS))), str(rng.choice(list(SHAPES)))
        thing = Thing(colour, thing.shape, thing.place) if rng.random() < 0.5 else thing
        thing = Thing(thing.colour, shape, thing.place) if rng.random() < 0.5 else thing
    return f"a picture of {thing}" if thing.colour else "an empty grey picture"


def asked(model_folder: Path, cache: Path) -> list[tuple[Interval, Voice, Voice]]:
    """True time, what captions say, and what frames say, of each question."""
    rng = np.random.default_rng(5)
    model = OnnxJointModel(model_folder, threads=1)
    words, embedder = SightWords(model), open_embedder("minilm", cache=cache)
    scale = SightScale.measure(model)
    track = sight_track(model.name, "frame@1/s")
    videos = []
    for _ in range(VIDEOS):
        shown = [(random_thing(rng), int(rng.integers(3, 14))) for _ in range(SCENES)]
        said = [text for thing, n in shown for text in [mistaken(thing, rng)] * n]
        # One frame in seven shows something else.
        frames = [
            draw(thing if rng.random() > 0.15 else random_thing(rng), rng)
            for thing, n in shown
            for _ in range(n)
        ]
        videos.append((shown, said, model.embed_pictures(frames), embedder.embed(said)))
    rows = []
    for shown, said, looks, meanings in videos:
        spans = [Interval(float(at), at + 1.0) for at in range(len(said))]
        frames_seen = [as_caption("v", span, track) for span in spans]
        captions = [
            Caption("v", span, text, "vision", DESCRIBED)
            for span, text in zip(spans, said, strict=True)
        ]
        others = np.concatenate([one[2] for one in videos if one[2] is not looks])[::5]
        start_s = 0.0
        for thing, length_s in shown:
            truth = Interval(start_s, start_s + length_s)
            start_s += length_s
            if not thing.colour or sum(one == thing for one, _ in shown) > 1:
                continue

            def by(
                what: list[Caption],
                vectors: np.ndarray,
                sight: SightEvidence | None,
                query: str = str(thing),
                length_s: float = float(len(said)),
            ) -> Voice:
                ranking = rank(
                    query, what, vectors, embedder=embedder, duration_s=length_s, sight=sight
                )
                return Voice.of(what, ranking)

            seen = by(
                frames_seen,
                looks,
                SightEvidence(words, OtherFrames(others, scale.texts, scale.match)),
            )
            rows.append((truth, by(captions, meanings, None), seen))
    return rows


def right(rankings: list[tuple[Interval, Ranking]]) -> float:
    """R@1 at IoU 0.5."""
    return float(
        np.mean([(one.events or one.windows)[0].span.iou(t) >= 0.5 for t, one in rankings])
    )


def test_both_find_more_than_wrong_captions_and_frames_of_another_video_cost_little(
    tiny_joint: Path, tmp_path: Path
) -> None:
    rows = asked(tiny_joint, tmp_path)
    assert len(rows) > 80
    captions = right([(truth, said.ranking) for truth, said, _ in rows])
    frames = right([(truth, seen.ranking) for truth, _, seen in rows])
    both = right([(truth, fuse([said, seen])[1]) for truth, said, seen in rows])
    assert both >= captions + 0.1
    assert both >= frames - 0.2
    swapped = [
        (truth, fuse([said, rows[(place + 40) % len(rows)][2]])[1])
        for place, (truth, said, _) in enumerate(rows)
    ]
    assert right(swapped) >= captions - 0.25
