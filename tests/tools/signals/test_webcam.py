"""Somebody before a webcam: who comes, sits, leans and leaves, in a drawn room with grain."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.captioners.classical import ClassicalCaptioner
from tools.ranking import Ranking
from tools.signals.signal_grounder import ground_signals
from tools.timeline import Caption, Frame, Interval, Track

Picture = NDArray[np.uint8]
Visits = Sequence[tuple[float, float]]
WIDTH, HEIGHT = 512, 288
WALK_S = 1.5
ALWAYS: Visits = [(0, 99)]
LEANING: Visits = [(0, 98)]
TRACK = Track("classical-4", "", "frame@1/s")


def room() -> Picture:
    """A wall with a window and a shelf of books."""
    picture = np.full((HEIGHT, WIDTH, 3), (172, 168, 160), np.uint8)
    picture[200:] = (120, 100, 84)
    cv2.rectangle(picture, (32, 32), (144, 128), (210, 220, 235), -1)
    cv2.rectangle(picture, (32, 32), (144, 128), (90, 80, 70), 3)
    cv2.line(picture, (88, 32), (88, 128), (90, 80, 70), 2)
    cv2.rectangle(picture, (336, 48), (480, 192), (100, 70, 50), -1)
    chance = np.random.default_rng(4)
    for book in range(18):
        colour = [int(level) for level in chance.integers(40, 220, 3)]
        left = 339 + 8 * book
        cv2.rectangle(picture, (left, 56), (left + 5, 82), colour, -1)
    return picture


LEANS_PX = {6: 56, 7: 56, 8: 56, 12: -48, 13: -48, 14: -48}
"""By second: how far to the side the one sits who is there all the time."""


def draw(time_s: float, visits: Visits, *, drift: float) -> Picture:
    picture = room()
    for came_s, left_s in visits:
        if came_s <= time_s < left_s:
            # Walks in from the left, sits and sways, walks out to the right.
            walked_in = min(1.0, (time_s - came_s) / WALK_S) if came_s > 0 else 1.0
            walked_out = max(0.0, 1 - (left_s - time_s) / WALK_S)
            x = round(-64 + 320 * walked_in + 320 * walked_out + 5 * np.sin(0.7 * time_s))
            if visits == LEANING:
                x += LEANS_PX.get(int(time_s), 0)
            y = 88 + round(2 * np.sin(2 * time_s))
            cv2.ellipse(picture, (x, y + 32), (30, 40), 0, 0, 360, (205, 160, 135), -1)
            cv2.rectangle(picture, (x - 64, y + 76), (x + 64, HEIGHT), (60, 70, 120), -1)
            cv2.circle(picture, (x - 10, y + 24), 3, (40, 30, 30), -1)
            cv2.circle(picture, (x + 10, y + 24), 3, (40, 30, 30), -1)
    grain = np.random.default_rng(round(1000 * time_s)).normal(0, 5, picture.shape)
    light = 10 * drift * np.sin(time_s / 5)
    return np.asarray(np.clip(picture + grain + light, 0, 255), np.uint8)


def luma_of(picture: Picture) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (64, 36), interpolation=cv2.INTER_AREA), np.uint8)


def watched(visits: Visits, *, length_s: int, drift: float = 0.0) -> list[Caption]:
    frames = []
    for second in range(length_s):
        picture = draw(second, visits, drift=drift)
        frames.append(
            Frame(
                time_s=float(second),
                image=picture,
                earlier=draw(second - 0.1, visits, drift=drift) if second else None,
                earlier_s=second - 0.1 if second else None,
                luma=luma_of(picture)[None],
                luma_s=np.array([float(second)]),
            )
        )
    return [
        Caption("v", Interval(one.time_s, one.time_s + 1), one.text, one.source, TRACK)
        for one in ClassicalCaptioner(read_text=False).describe(frames, seen=())
        if one.exact is None
    ]


def spans(answer: Ranking) -> list[tuple[float, float]]:
    return sorted((event.span.start_s, event.span.end_s) for event in answer.events)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("visits", "length_s", "drift", "comes", "leaves", "nobody"),
    [
        (
            [(5, 12), (16, 22)],
            28,
            0,
            [(6, 12), (17, 22)],
            [(11, 13), (21, 23)],
            [(1, 6), (13, 17), (23, 28)],
        ),
        ([(5, 12)], 24, 1, [(6, 12)], [(11, 13)], [(1, 6), (13, 24)]),
        # Who was there from the start has not come, and before nobody knows what is behind.
        ([(0, 8), (14, 20)], 26, 0, [(15, 20)], [(7, 9), (19, 21)], [(9, 15), (21, 26)]),
        # Who sits for more than a minute has not left.
        ([(5, 75)], 80, 0, [(6, 75)], [(74, 76)], [(1, 6), (76, 80)]),
    ],
)
def test_who_comes_and_who_leaves_is_told_to_the_second(  # noqa: PLR0917  # the table's columns
    visits: Visits,
    length_s: int,
    drift: float,
    comes: list[tuple[float, float]],
    leaves: list[tuple[float, float]],
    nobody: list[tuple[float, float]],
) -> None:
    captions = watched(visits, length_s=length_s, drift=drift)
    for query, expected in (
        ("someone enters", comes),
        ("something leaves", leaves),
        ("nobody is there", nobody),
    ):
        assert spans(ground_signals(query, captions, duration_s=length_s)) == expected, query


@pytest.mark.slow
@pytest.mark.parametrize("visits", [ALWAYS, LEANING])
def test_of_one_who_is_there_all_the_time_nothing_is_claimed(visits: Visits) -> None:
    captions = watched(visits, length_s=20)
    for query in ("someone enters", "something leaves", "nobody is there"):
        answer = ground_signals(query, captions, duration_s=20.0)
        assert answer.verdict == "cannot_tell", query
        assert answer.reasoning
