"""A video says the same of a question, whether it is asked alone or among others."""

import json
from pathlib import Path

import numpy as np
import pytest

from agent.api import Grounder
from agent.grounding import Grounding
from tests.drawing import Picture, draw_video, even_times, gray

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("word_embedder")]

ROAD, DOG = "an empty grey road", "a brown dog jumps over a fence"
PHONE = "the black screen of a phone goes past"


def scene(index: int) -> Picture:
    """A still yard, in which a box stands from 4 s to 8 s; black from 12 s to 15 s."""
    picture = gray(20)
    picture[::8] = 40
    if 4 <= index < 8:
        picture[30:70, 40:80] = (230, 230, 230)
    return np.zeros_like(picture) if 12 <= index < 15 else picture


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """A yard and a road, both described by a file and measured too."""
    yard = draw_video(tmp_path / "yard.mp4", even_times(20, 1.0), picture=scene)
    road = draw_video(tmp_path / "road.mp4", even_times(20, 1.0), picture=lambda at: gray(at + 9))
    texts = [ROAD] * 8 + [DOG] * 3 + [ROAD] * 5 + [PHONE] * 3 + [ROAD]
    for film, said in ((yard, texts), (road, [ROAD] * 12 + [PHONE] * 8)):
        rows = [
            {"start_s": float(at), "end_s": at + 1.0, "caption": text}
            for at, text in enumerate(said)
        ]
        captions = tmp_path / f"{film.stem}.jsonl"
        captions.write_text("\n".join(map(json.dumps, rows)))
        with Grounder() as grounder:
            settings = grounder.settings.model_copy(update={"captioner": "classical"})
            with Grounder(settings) as plain:
                plain.watch(film)
            grounder.watch(film, captions=captions)
    return [yard, road]


def gist(answer: Grounding) -> tuple[str, list[tuple[float, float]]]:
    return answer.verdict, sorted((one.start_s, one.end_s) for one in answer.intervals)


@pytest.mark.parametrize(
    ("query", "verdict", "start_s"),
    [
        ("the screen goes black", "found", 12),
        ("something enters", "found", 4),
        ("a brown dog jumps over a fence", "found", 8),
        ("the screen goes white", "not_found", None),
        ("the camera pans to the left", "cannot_tell", None),
        ("zebras paint trumpets", "not_found", None),
    ],
)
def test_a_video_says_the_same_alone_and_among_others(
    query: str, verdict: str, start_s: float | None, films: list[Path]
) -> None:
    with Grounder() as grounder:
        alone = grounder.find(films[0], query)
        among = next(
            one for one in grounder.find_all(query, videos=films) if one.video.path == str(films[0])
        )
    assert gist(among) == gist(alone)
    assert among.verdict == verdict
    if start_s is not None:
        assert gist(among)[1][0][0] == pytest.approx(start_s, abs=1.0)


def test_where_it_is_measured_comes_before_where_it_is_said(films: list[Path]) -> None:
    with Grounder() as grounder:
        (first,) = grounder.find_all("the screen goes black", videos=films[::-1], limit=1)
    assert first.video.path == str(films[0])


def test_captions_of_one_video_are_not_held_against_others_that_are_only_measured(
    films: list[Path], tmp_path: Path
) -> None:
    other = draw_video(tmp_path / "other.mp4", even_times(8, 1.0), picture=lambda at: gray(9 + at))
    with Grounder() as grounder:
        settings = grounder.settings.model_copy(update={"captioner": "classical"})
        with Grounder(settings) as plain:
            plain.watch(other)
        for query in ("a dog jumps", "a brown thing over a fence", "an animal at a fence"):
            alone = grounder.find(films[0], query)
            told = grounder.find_all(query, videos=[films[0], other])
            among = next(one for one in told if one.video.path == str(films[0]))
            assert (gist(among), among.reasoning) == (gist(alone), alone.reasoning)
