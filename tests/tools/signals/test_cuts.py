"""A cut is a change at once and for good: what passes by, returns, or goes on changing is none."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.signals.cuts import LONGEST_S, CutFinder

Film = NDArray[np.float32]
FPS = 25
CUT = 30
"""Frame at which the second shot begins."""


def shot(seed: int) -> Film:
    """Thirty frames of something that moves a little."""
    coarse = np.random.default_rng(seed).integers(20, 235, (10, 16)).astype(np.float32)
    wide = np.asarray(cv2.resize(coarse, (128, 80), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.array([wide[20 : 20 + 36, n // 3 : n // 3 + 64] for n in range(CUT)])


def cuts(film: Film) -> list[int]:
    luma = np.clip(film, 0, 255).astype(np.uint8)
    return cuts_by(luma, batch=len(luma))


def cuts_by(luma: NDArray[np.uint8], *, batch: int) -> list[int]:
    """The cuts of a film that is handed over in batches of so many frames."""
    finder, times_s = CutFinder(), np.arange(len(luma)) / FPS
    found = []
    for first in range(0, len(luma), batch):
        found += finder.find(luma[first : first + batch], times_s[first : first + batch])
    return [round(cut.start_s * FPS) for cut in found + finder.finish()]


def between(first: Film, second: Film, frames: int, how: str) -> Film:
    """One shot that becomes the other in so many frames."""
    made = []
    for n in range(1, frames + 1):
        share = n / (frames + 1)
        edge = round(64 * share)
        one, other = first[-frames + n - 1], second[n - 1]
        if how == "dissolve":
            made.append(one * (1 - share) + other * share)
        elif how == "wipe":
            made.append(np.concatenate([other[:, :edge], one[:, edge:]], axis=1))
        else:
            made.append(np.concatenate([one[:, edge:], other[:, :edge]], axis=1))
    return np.concatenate([first[:-frames], np.array(made), second[frames:]])


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_is_found_to_the_frame(seed: int) -> None:
    assert cuts(np.concatenate([shot(seed), shot(seed + 50)])) == [CUT]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("how", "frames"),
    [("dissolve", 8), ("dissolve", 25), ("wipe", 8), ("wipe", 20), ("slide", 8), ("slide", 12)],
)
def test_what_changes_over_many_frames_is_no_cut(seed: int, how: str, frames: int) -> None:
    assert cuts(between(shot(seed), shot(seed + 50), frames, how)) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_flash_of_a_few_frames_is_no_cut(seed: int, frames: int) -> None:
    film = np.concatenate([shot(seed), shot(seed)[::-1]])
    for n in range(frames):
        film[CUT + n] = film[CUT + n] * (1.6 - 0.2 * n) + 90 - 25 * n
    assert cuts(film) == []


@pytest.mark.parametrize("batch", [1, 3, 7, 25])
def test_cuts_are_the_same_in_batches_of_any_size(batch: int) -> None:
    shots = [shot(seed) for seed in range(6)]
    # Of two that are too near to each other, the stronger one is the cut.
    near = [0.5 * shots[0] + 60, shots[1][:3], shots[2]]
    film = np.concatenate([*shots, between(shots[0], shots[1], 12, "slide"), *near])
    luma = np.clip(film, 0, 255).astype(np.uint8)
    assert cuts_by(luma, batch=batch) == cuts(film)
    assert len(cuts(film)) == 8


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("frames", [2, 3, 4, 5])
def test_a_camera_that_is_whipped_round_makes_no_cut(seed: int, frames: int) -> None:
    coarse = np.random.default_rng(seed).integers(20, 235, (9, 44)).astype(np.float32)
    wide = np.asarray(cv2.resize(coarse, (176, 36), interpolation=cv2.INTER_CUBIC), np.float32)
    starts = [0] * CUT + [100 * n // frames for n in range(1, frames)] + [100] * CUT
    assert cuts(np.array([wide[:, start : start + 64] for start in starts])) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_is_found_where_the_camera_is_shaken(seed: int) -> None:
    """The pictures change nearly as much from frame to frame, but stay as light as they were."""
    chance = np.random.default_rng(seed)
    films = []
    for middle in (90, 130):
        coarse = chance.integers(middle - 60, middle + 60, (20, 32)).astype(np.float32)
        wide = np.asarray(cv2.resize(coarse, (160, 100), interpolation=cv2.INTER_CUBIC))
        corners = chance.integers(0, 5, (CUT, 2))
        films.append(np.array([wide[y : y + 36, x : x + 64] for y, x in corners]))
    assert cuts(np.concatenate(films)) == [CUT]


@pytest.mark.parametrize("seed", range(5))
def test_a_frame_that_mixes_both_shots_lies_within_a_cut(seed: int) -> None:
    """Rate conversion and interlacing make such frames."""
    first, second = shot(seed), shot(seed + 50)
    found = cuts(np.concatenate([first, (first[-1:] + second[:1]) / 2, second]))
    assert len(found) == 1
    assert found[0] in {CUT, CUT + 1}


def test_cuts_of_a_recorded_screen_are_found_however_few_frames_it_has() -> None:
    """It has a frame only where something changed: what is shown lasts until the next one."""
    dark, other = np.full((1, 36, 64), 16.0, np.float32), shot(0)
    film = np.concatenate([other[:3], dark, shot(1)[:2], shot(2)[:3]])
    luma = np.clip(film, 0, 255).astype(np.uint8)
    times_s = np.array([0.0, 0.5, 2.9, 6.0, 7.5, 7.54, 9.0, 9.04, 12.0])
    finder = CutFinder()
    found = [*finder.find(luma, times_s), *finder.finish()]
    assert [cut.start_s for cut in found] == [6.0, 7.5, 9.0]
    # The frame before is shown until then: the cut is no longer than a moment.
    assert max(cut.length_s for cut in found) == LONGEST_S
